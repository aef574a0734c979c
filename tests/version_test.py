#!/usr/bin/env python3
"""A build names the commit that it is built from, also where the build folder is older than the commit.

Takes cmake/Version.cmake and the name of a generator; makes a repository of its own with it, and a work tree of that.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

LISTS = """cmake_minimum_required(VERSION 3.22)
project(versions VERSION 1.0 LANGUAGES NONE)
include(cmake/Version.cmake)
add_custom_target(nothing ALL)
"""


def run(folder, *command):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def commit(folder, text):
    with open(os.path.join(folder, "file"), "w", encoding="utf-8") as out:
        out.write(text)
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", text)


def check(folder, build, when):
    with open(os.path.join(build, "generated", "portcullis_version.h"), encoding="utf-8") as header:
        built = re.search(r'kCommit\[\]\s*=\s*"([^"]*)"', header.read())
    head = run(folder, "git", "rev-parse", "--short=12", "HEAD").strip()
    if not built or built[1] != head:
        sys.exit(f"{when}: HEAD is {head}, the build says {built[1] if built else 'nothing'}")


def follow(folder, build, generator):
    run(folder, "cmake", "-S", ".", "-B", build, "-G", generator)
    check(folder, build, "configured")
    commit(folder, "another")
    run(folder, "cmake", "--build", build)
    check(folder, build, "built after a commit")
    run(folder, "git", "checkout", "-q", "--detach", "HEAD^")
    run(folder, "cmake", "--build", build)
    check(folder, build, "built after a checkout")


def main():
    version, generator = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="portcullis-version-") as top:
        folder = os.path.join(top, "repository")
        os.makedirs(os.path.join(folder, "cmake"))
        shutil.copy(version, os.path.join(folder, "cmake"))
        shutil.copy(os.path.join(os.path.dirname(version), "portcullis_version.h.in"), os.path.join(folder, "cmake"))
        with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as out:
            out.write(LISTS)
        run(folder, "git", "init", "-q")
        commit(folder, "first")
        commit(folder, "second")
        follow(folder, os.path.join(top, "build"), generator)
        run(folder, "git", "worktree", "add", "-q", "--detach", os.path.join(top, "tree"))
        follow(os.path.join(top, "tree"), os.path.join(top, "build-tree"), generator)
    print("a build follows HEAD, in a repository and in a work tree of it")


if __name__ == "__main__":
    main()
