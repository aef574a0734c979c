"""The tracked files of the repository, for the tests which check its tidiness and its layers.

Not a test. Only tracked files count: what is not committed is nobody's promise yet.
"""

import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The folders of the program itself; each must hold sources.
PROGRAM_FOLDERS = ("metrics", "io", "tls", "core")

_INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def tracked():
    """All tracked files which exist, as paths relative to the root with forward slashes, sorted."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"],
        check=True, capture_output=True).stdout.decode()
    names = sorted(name for name in listing.split("\0") if name)
    files = [name for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]
    if not files:
        raise SystemExit(f"{ROOT}: no tracked files")
    return files


def cpp(files):
    """The C++ files among `files`."""
    return [name for name in files if name.endswith((".h", ".cc"))]


def read(name):
    """The lines of a tracked file, without line ends."""
    return (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines()


def includes(name):
    """The includes of a C++ file as (line number, '"' or '<', what is included)."""
    found = []
    for number, line in enumerate(read(name), 1):
        match = _INCLUDE.match(line)
        if match:
            found.append((number, match.group(1), match.group(2)))
    return found


def compiled(build_dir):
    """(source, command) for each C++ source that the build in `build_dir` compiles.

    Where it compiles several at a time, through a generated source which includes them, the command is the one that
    would compile the source alone.
    """
    for entry in json.loads((build_dir / "compile_commands.json").read_text()):
        generated = pathlib.Path(entry["directory"], entry["file"])
        sources = [generated]
        if generated.parent.name == "Unity":
            sources = [match.group(2) for match in map(_INCLUDE.match, generated.read_text().splitlines()) if match]
        for source in sources:
            yield os.path.relpath(source, ROOT), entry["command"].replace(entry["file"], str(source))


def without_comments(lines):
    """The lines with comments, string and character literals blanked; same count, same columns."""
    text = "\n".join(lines)
    pattern = re.compile(
        r'R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
        r"|//[^\n]*|/\*.*?\*/", re.DOTALL)
    blanked = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)
    return blanked.split("\n")
