#!/usr/bin/env python3
"""House rules which a machine can check, each violation printed as file:line.

Sizes of files and functions, line lengths, trailing space, banned words and constructs, a test for each source,
headers which stand alone, and clang-format. Usage: tidy_test.py BUILD_DIR (for the compiler flags of the headers).
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import source_files

MAX_SOURCE_LINES = 400
MAX_TEST_LINES = 800
MAX_FUNCTION_LINES = 60
MAX_COLUMNS = {".h": 100, ".cc": 100, ".py": 120, ".sh": 120, ".cmake": 120, "": 120}
CLANG_FORMAT = "clang-format-19"

# Sources which no test file of their own name covers, and the file which does.
TESTED_BY = {
    "core/server/host_judge.cc": "tests/e2e/verify_test.py",
    "core/server/main.cc": "tests/e2e/CMakeLists.txt",
    **{f"tls/{part}.cc": "tests/tls/revocation_index_test.cc" for part in (
        "crl_builder", "crl_issuers", "crl_table", "indexed_crl")},
    "tls/ocsp_signer.cc": "tests/tls/ocsp_response_test.cc",
    "core/server/serve.cc": "tests/e2e/signals_test.py",
    "core/connection/postponed.cc": "tests/core/worker/postponed_test.cc",
    "core/connection/signature.cc": "tests/core/worker/signature_test.cc",
    "core/connection/lapse.cc": "tests/e2e/live_test.py",
    "core/connection/overload.cc": "tests/e2e/taxonomy_test.py",
    "core/connection/client_status.cc": "tests/e2e/ocsp_test.py",
    "core/ocsp/exchange.cc": "tests/core/ocsp/fetcher_test.cc",
    # A worker's parts show what they do in the whole that the test drives, on the kernel's ring and on one with faults.
    "core/worker/control.cc": "tests/core/worker/worker_test.cc",
    "core/worker/dispatch.cc": "tests/core/worker/worker_test.cc",
    **{f"core/connection/{part}.cc": "tests/core/worker/worker_test.cc" for part in (
        "close", "context", "deadline", "downstream", "handshake", "http_relay", "http_request", "http_response",
        "record", "tcp_relay", "traffic")},
}

TABLE_LABEL = re.compile(r"\s*case [\w:]+:$")

# Words which announce that something is unfinished, and names of machines that are not everybody's. Spelt apart so
# that this file does not hold them.
BANNED_WORDS = [
    re.compile(pattern, flags) for pattern, flags in (
        (r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", 0),
        (r"\bplace" r"holders?\b", re.IGNORECASE),
        (r"\bfor " r"now\b", re.IGNORECASE),
        (r"\bnot (yet )?" r"implemented\b", re.IGNORECASE),
        (r"(?<![\w.}])/work" r"/", 0),
        (r"/tmp/" r"brief", 0),
        (r"\b(deb\.debian|archive\.ubuntu|security\.debian|registry\.npmjs|files\.pythonhosted|pypi)"
         r"\.(org|com)\b", 0),
    )
]

# Constructs banned in C++: what, where (prefixes of paths; None is everywhere), why.
HOT = ("io/", "tls/", "metrics/", "core/http/", "core/backend/", "core/connection/", "core/worker/")
BANNED_CODE = [
    (re.compile(r"\busing\s+namespace\b"), None, "using namespace"),
    (re.compile(r"\bstd::function\b"), HOT, "std::function on the data path (allocates, calls indirectly)"),
    (re.compile(r"\bthrow\b(?!\s*\()"), None, "an exception of ours"),
    (re.compile(r"\bstd::regex\b"), None, "std::regex (recursion as deep as its input)"),
    (re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|absl::SleepFor)\b"), None, "sleeping to synchronise"),
    (re.compile(r"(?<![\w:.>])s?rand\s*\("), None, "rand(): seeded <random> in tests, RAND_bytes elsewhere"),
    (re.compile(r"\bstd::endl\b"), None, "std::endl"),
]

# What precedes the brace of a namespace or class, of a function, and of a member's initialiser in a constructor.
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum)\b(?!.*\)\s*(const|noexcept|override|final|\s)*$)"
                       r"|\bextern\s*$", re.DOTALL)
MEMBER_INITIALISER = re.compile(r"\)\s*(noexcept\s*)?:(?!:).*[\w>]\s*$", re.DOTALL)


def is_test(name):
    return name.startswith("tests/")


def text_files(files):
    """Tracked files people write, so neither licence, corpora nor captured data."""
    for name in files:
        path = pathlib.PurePosixPath(name)
        if name == "LICENSE" or any(part.endswith(("corpus", "testdata")) for part in path.parts):
            continue
        if b"\0" in (source_files.ROOT / name).read_bytes()[:4096]:
            continue
        yield name


def check_lines(files):
    """Trailing space, tabs, line length, the end of the file, words that announce unfinished work."""
    for name in text_files(files):
        lines = source_files.read(name)
        suffix = pathlib.PurePosixPath(name).suffix
        columns = MAX_COLUMNS.get(suffix)
        raw = (source_files.ROOT / name).read_bytes()
        if raw and not raw.endswith(b"\n"):
            yield f"{name}:{len(lines)}: no newline at the end of the file"
        for number, line in enumerate(lines, 1):
            where = f"{name}:{number}"
            if line != line.rstrip():
                yield f"{where}: trailing space"
            if "\t" in line and suffix in (".h", ".cc", ".py", ".cmake"):
                yield f"{where}: tab"
            if columns and len(line) > columns and "://" not in line:
                yield f"{where}: {len(line)} columns, {columns} allowed"
            for word in BANNED_WORDS:
                match = word.search(line)
                if match:
                    yield f"{where}: banned: {match.group(0)}"


def check_file_sizes(files):
    for name in source_files.cpp(files) + [name for name in files if name.endswith(".py")]:
        limit = MAX_TEST_LINES if is_test(name) else MAX_SOURCE_LINES
        count = len(source_files.read(name))
        if count > limit:
            yield f"{name}:{count}: {count} lines, {limit} allowed"


def opens_function(head):
    """Whether a brace after `head`, outside of any function, opens a function's body."""
    return ("(" in head and head.count("(") == head.count(")") and not head.rstrip().endswith("=") and
            not CONTAINER.search(head) and not MEMBER_INITIALISER.search(head))


def functions(lines):
    """The outermost functions of blanked C++ `lines` as (first line, last line), both counted from 1.

    `stack` holds what each open brace is: a container's (None), a function's (the line where its head begins), or
    any other (0), in which nothing is looked for.
    """
    found, stack, head, head_line, kept = [], [], "", 0, ""
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            continue
        for char in line:
            inside = any(opened is not None for opened in stack)
            if char == "{":
                if inside:
                    stack.append(0)
                elif opens_function(head):
                    stack.append(head_line)
                else:
                    kept = head if MEMBER_INITIALISER.search(head) or "(" in head else ""
                    stack.append(None if CONTAINER.search(head) else 0)
                head = "" if not inside else head
            elif char == "}":
                opened = stack.pop() if stack else None
                if opened:
                    found.append((opened, number))
                if not any(one is not None for one in stack):
                    # After a member's initialiser the head goes on: `: a_{1}, b_(2) {`.
                    head, kept = (kept + "()" if kept and opened == 0 else ""), ""
            elif inside:
                continue
            elif char == ";" and head.count("(") == head.count(")"):
                head = ""
            elif char == ":" and head.strip() in ("public", "protected", "private"):
                head = ""
            elif head or not char.isspace():
                if not head:
                    head_line = number
                head += char
        head += " " if head else ""
    return found


def check_function_sizes(files):
    for name in source_files.cpp(files):
        if is_test(name):
            continue
        for first, last in functions(source_files.without_comments(source_files.read(name))):
            # A switch that only names things is a table: a row counts once, however it is wrapped.
            lines = source_files.read(name)[first - 1:last]
            size = sum(not TABLE_LABEL.match(line) for line in lines)
            if size > MAX_FUNCTION_LINES:
                yield f"{name}:{first}: a function of {size} lines, {MAX_FUNCTION_LINES} allowed"


def check_code(files):
    """Banned constructs, and the shape of headers."""
    for name in source_files.cpp(files):
        lines = source_files.read(name)
        for number, line in enumerate(source_files.without_comments(lines), 1):
            for pattern, folders, what in BANNED_CODE:
                if pattern.search(line) and (folders is None or name.startswith(folders)):
                    yield f"{name}:{number}: {what}"
        if name.endswith(".h"):
            if not lines or not lines[0].startswith("//"):
                yield f"{name}:1: a header opens with a comment: what it is, who owns it, which thread"
            if "#pragma once" not in lines:
                yield f"{name}:1: #pragma once is missing"


def check_tests_exist(files):
    """tests/io/ring_test.cc, or tests/io/ring_<aspect>_test.cc, for io/ring.cc."""
    tests = [name for name in files if is_test(name) and name.endswith("_test.cc")]
    for name in files:
        if not name.endswith(".cc") or not name.startswith(source_files.PROGRAM_FOLDERS):
            continue
        stem = f"tests/{name[:-len('.cc')]}_"
        if name not in TESTED_BY and not any(test.startswith(stem) for test in tests):
            yield f"{name}:1: no {stem}test.cc"
    for name in [*TESTED_BY.keys(), *TESTED_BY.values()]:
        if name not in files:
            yield f"tests/tidy_test.py:1: TESTED_BY names {name}, which does not exist"


def compile_flags(build_dir):
    """The flags of one C++ file of each folder, from the build's compile_commands.json."""
    flags = {}
    for name, command in source_files.compiled(build_dir):
        words = shlex.split(command)
        kept = [words[i] for i in range(len(words))
                if words[i].startswith(("-I", "-D", "-std=", "-isystem", "-W")) or
                (i > 0 and words[i - 1] == "-isystem")]
        flags.setdefault(os.path.dirname(name), kept)
    return flags


def check_headers_alone(files, build_dir):
    """Each header compiles by itself. One that some source includes before all else is compiled so anyway."""
    first = {}
    for name in source_files.cpp(files):
        found = source_files.includes(name)
        if name.endswith(".cc") and found:
            first[found[0][2]] = name
    flags = compile_flags(build_dir)
    compiler = shutil.which("c++") or shutil.which("g++")
    headers = [name for name in files if name.endswith(".h") and name not in first]

    def compile_alone(name):
        folder = name
        while folder not in flags:  # Those of the nearest folder in which something is compiled.
            folder = os.path.dirname(folder)
            if not folder:
                return [f"{name}:1: nothing around it is compiled, so nothing says how to compile this header"]
        options = flags[folder]
        command = [compiler, "-fsyntax-only", "-x", "c++", *options, "-Wno-unused-function", "-include",
                   str(source_files.ROOT / name), "/dev/null"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [] if done.returncode == 0 else [f"{name}:1: does not compile alone:\n{done.stderr}"]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for faults in pool.map(compile_alone, headers):
            yield from faults


def check_format(files):
    if not shutil.which(CLANG_FORMAT):
        yield f".clang-format:1: {CLANG_FORMAT} is not installed (deploy/deps --test)"
        return
    names = source_files.cpp(files)
    for start in range(0, len(names), 20):
        done = subprocess.run([CLANG_FORMAT, "--dry-run", "--Werror", *names[start:start + 20]],
                              cwd=source_files.ROOT, capture_output=True, text=True, check=False)
        first, count = {}, collections.Counter()
        for match in re.finditer(r"^([^:\n]+):(\d+):\d+: .*clang-format-violations", done.stderr, re.MULTILINE):
            first.setdefault(match.group(1), match.group(2))
            count[match.group(1)] += 1
        if done.returncode and not first:
            yield f".clang-format:1: {done.stderr.strip()}"
        for name, line in first.items():
            yield f"{name}:{line}: not formatted in {count[name]} places: {CLANG_FORMAT} -i {name}"


def check_scripts(files):
    """Scripts are executable and parse."""
    for name in files:
        path = source_files.ROOT / name
        with path.open("rb") as file:
            head = file.readline(80)
        if head.startswith(b"#!") and not os.access(path, os.X_OK):
            yield f"{name}:1: has an interpreter line and is not executable"
        if head.startswith(b"#!") and b"bash" in head:
            done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
            if done.returncode:
                yield f"{name}:1: {done.stderr.strip()}"
        if name.endswith(".py"):
            try:
                compile(path.read_bytes(), name, "exec")
            except SyntaxError as error:
                yield f"{name}:{error.lineno}: {error.msg}"


def self_test():
    """The function finder, on code whose answer is known: it is the one heuristic here."""
    code = """namespace a {
class B : public C {
 public:
  explicit B(int x) : x_(x), y_{x} {
    Call();
  }
  int Get() const {
    return [] { return 1; }();
  }
  struct alignas(64) D {
    int y = 0;
  };
};
constexpr int kTable[] = {1, 2,
                          3};
static const Map kMap = MakeMap({
    {1, 2},
});
enum class E : uint8_t {
  kA
};
template <typename T>
int F(int a,
      int b) {
  if (a) {
    for (;;) { }
  }
  return "{"[0];  // {
}
}  // namespace a
""".split("\n")
    found = functions(source_files.without_comments(code))
    assert found == [(4, 6), (7, 9), (22, 29)], found


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    self_test()
    files = source_files.tracked()
    for folder in source_files.PROGRAM_FOLDERS + ("tests",):
        if not any(name.startswith(folder + "/") for name in source_files.cpp(files)):
            print(f"{folder}/: holds no C++ files, nothing to check")
            return 1
    num_faults = 0
    for check in (check_lines, check_file_sizes, check_function_sizes, check_code, check_tests_exist, check_scripts,
                  check_format):
        for fault in check(files):
            print(fault)
            num_faults += 1
    for fault in check_headers_alone(files, pathlib.Path(sys.argv[1]).resolve()):
        print(fault)
        num_faults += 1
    print(f"{len(files)} files, {num_faults} faults")
    return 1 if num_faults else 0


if __name__ == "__main__":
    sys.exit(main())
