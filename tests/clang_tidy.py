#!/usr/bin/env python3
"""clang-tidy over the program's and the benchmarks' sources, with the repository's .clang-tidy.

Usage: clang_tidy.py BUILD_DIR CACHE_DIR [FILE...]. What passed once is remembered by the hash of the source, of all the
headers of ours that it reaches, of the flags and of the configuration, so that a repeat looks at changes only.

Sources of one folder are looked at several at a time, as one generated source which includes them: nearly all of the
time goes into the headers they share. What such a batch has to say is asked again of each of its sources alone, for
names may clash within it, and so it is always a source of ours that is found at fault, or not.
"""

import concurrent.futures
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import source_files

CLANG_TIDY = "clang-tidy-19"
FOLDERS = source_files.PROGRAM_FOLDERS + ("bench",)
# Warnings of gcc's flags are gcc's to give (and errors there); here they would only differ by compiler.
BATCH = 8
OF_PROGRAMS = "bench/micro"  # Each of its sources is a program, whose names are those of the others too.
# In a batch the sources are included, as headers are.
AS_HEADERS = ["--header-filter=/(metrics|io|tls|core|bench)/[^:]*[.](h|cc)$", "--checks=-bugprone-suspicious-include"]
EXTRA = ["--quiet", "--extra-arg=-Wno-error", "--extra-arg=-Wno-everything", "--extra-arg=-Wno-unknown-warning-option"]


def reached(name, tracked, seen):
    """Adds to `seen` the tracked files which `name` includes, directly or not."""
    if name in seen:
        return
    seen.add(name)
    for _, quote, included in source_files.includes(name):
        if quote == '"' and included in tracked:
            reached(included, tracked, seen)


def digest(name, command, tracked, common):
    """What a verdict on `name` depends on, as a file name; `command` is the flags it is compiled with."""
    seen = set()
    reached(name, tracked, seen)
    state = hashlib.sha256(common)
    # The same tree in another place, or built in another folder, is the same.
    state.update(command.replace(str(source_files.ROOT), "").encode())
    for part in sorted(seen):
        state.update(part.encode() + b"\0" + (source_files.ROOT / part).read_bytes() + b"\0")
    return state.hexdigest()


def run(same, name):
    done = subprocess.run([CLANG_TIDY, *EXTRA, str(source_files.ROOT / name), "--", *same],
                          cwd=source_files.ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.replace(f"{source_files.ROOT}/", "") + (done.stderr if done.returncode else "")


def flags(command, name):
    """The command without the names of its source and of what it writes."""
    words = shlex.split(command)
    kept, skip = [], False
    for word in words[1:]:
        if skip or word in ("-o", "-MF", "-MT", "-MQ"):
            skip = not skip
            continue
        if word in ("-c", "-MD") or word.endswith(name):
            continue
        kept.append(word)
    return tuple(kept[1:] if kept and kept[0].endswith("++") else kept)


def batches(names, commands):
    """`names` in groups of one folder and the same flags."""
    groups = {}
    for name in names:
        groups.setdefault((os.path.dirname(name), flags(commands[name], name)), []).append(name)
    for (folder, same), group in groups.items():
        size = 1 if folder == OF_PROGRAMS else BATCH
        for first in range(0, len(group), size):
            yield same, group[first:first + size]


def run_batch(same, names):
    """The (code, output) of each of `names`."""
    if len(names) > 1:
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "batch.cc"
            source.write_text("".join(f'#include "{source_files.ROOT / name}"\n' for name in names))
            config = f"--config-file={source_files.ROOT / '.clang-tidy'}"
            done = subprocess.run([CLANG_TIDY, *EXTRA, *AS_HEADERS, config, str(source), "--", *same],
                                  cwd=source_files.ROOT, capture_output=True, check=False)
        if done.returncode == 0:
            return [(0, "")] * len(names)
    return [run(same, name) for name in names]


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    if not shutil.which(CLANG_TIDY):
        print(f"{CLANG_TIDY} is not installed (deploy/deps --test)")
        return 1
    build_dir, cache_dir = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    wanted = set(sys.argv[3:])
    cache_dir.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, check=True).stdout
    common = version + (source_files.ROOT / ".clang-tidy").read_bytes() + pathlib.Path(__file__).read_bytes()

    tracked = set(source_files.cpp(source_files.tracked()))
    commands = {}
    for name, command in source_files.compiled(build_dir):
        if name in tracked and name.startswith(FOLDERS) and (not wanted or name in wanted):
            commands[name] = command
    compiled = sorted(commands)
    for name in sorted(tracked):
        if name.startswith(source_files.PROGRAM_FOLDERS) and name.endswith(".cc") and not wanted:
            if name not in commands:
                print(f"{name}:1: no target compiles this source")
                return 1
    if not compiled:
        print(f"{build_dir}/compile_commands.json: no sources of {', '.join(FOLDERS)}")
        return 1

    alone = {name: " ".join(flags(commands[name], name)) for name in compiled}
    stamps = {name: cache_dir / digest(name, alone[name], tracked, common) for name in compiled}
    todo = [name for name in compiled if not stamps[name].exists()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        groups = list(batches(todo, commands))
        for (_, names), results in zip(groups, pool.map(lambda group: run_batch(*group), groups)):
            for name, (code, output) in zip(names, results):
                if code == 0:
                    stamps[name].touch()
                    continue
                failed += 1
                print(f"{name}:1: clang-tidy fails\n{output}", flush=True)
    print(f"{len(compiled)} sources, {len(compiled) - len(todo)} of them unchanged, {failed} with faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
