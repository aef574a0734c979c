#!/usr/bin/env python3
"""Who may include whom: the ground floor (metrics, io, tls), the floors of core, no cycles.

Each violation is printed as file:line. The rules are first tried on made-up trees with known faults, so that a rule
which has stopped biting fails the test too.
"""

import sys

import source_files

GROUND = ("metrics", "io", "tls")
# From the ground up. A floor may use its own folder, the floors before it, and the ground floor.
FLOORS = ("config", "log", "http", "backend", "ocsp", "signing", "connection", "worker", "server")

# Third parties by the prefix of their headers: the only parts of the program which may know them.
CONFINED = {
    "openssl/": ("tls", "core/backend", "core/connection", "core/server"),
    "liburing": ("io", "core/backend", "core/connection", "core/worker", "core/server"),
    "yaml-cpp/": ("core/config",),
    "prometheus/": ("metrics", "core/server"),
    "civetweb": ("core/server",),
    "llhttp": ("core/http",),
    "nlohmann/": ("core/log", "core/server"),
    "spdlog/": ("core/log", "core/server"),
    "sys/socket.h": ("io", "core/server"),  # there: the backend to try things with
    "netdb.h": ("io",),
    "sys/epoll.h": ("core/server",),
}

# Headers in quotes which are not files of the repository.
FOREIGN = ("absl/", "gtest/", "gmock/", "benchmark/", "nlohmann/", "openssl/", "prometheus/", "spdlog/", "yaml-cpp/",
           "llhttp.h", "liburing.h", "civetweb.h", "CivetServer.h", "portcullis_version.h")


def part_of(name):
    """The part of the program a file belongs to: "io", "core/http", "tests", ..."""
    pieces = name.split("/")
    return "/".join(pieces[:2]) if pieces[0] == "core" and len(pieces) > 2 else pieces[0]


def may_include(user, used):
    """Whether a file of part `user` may include one of part `used`."""
    if user == used or user == "tests":
        return True
    if user == "bench" and used == "tests":
        return True  # the test PKI and client, which micro benchmarks drive the engine with
    if used in ("tests", "bench", "deploy"):
        return user == used
    if user in GROUND:
        return False
    if user.startswith("core/"):
        floor = user.split("/")[1]
        if floor not in FLOORS:
            return False
        allowed = set(GROUND) | {f"core/{lower}" for lower in FLOORS[:FLOORS.index(floor)]}
        return used in allowed
    return user in ("bench", "deploy")


def check(graph):
    """Faults of `graph`, a dict of file name to its [(line, quote, included)]."""
    faults = []
    for name, entries in graph.items():
        user = part_of(name)
        if user.startswith("core/") and user.split("/")[1] not in FLOORS:
            faults.append(f"{name}:1: {user} is no floor of core ({', '.join(FLOORS)})")
        for line, quote, included in entries:
            where = f"{name}:{line}"
            for prefix, parts in CONFINED.items():
                program = user in GROUND or user.startswith("core/")
                if included.startswith(prefix) and program and user not in parts:
                    faults.append(f"{where}: {user} must not know <{included}> (only {', '.join(parts)} may)")
            if quote != '"' or included.startswith(FOREIGN):
                continue
            if included not in graph:
                faults.append(f'{where}: "{included}" is no tracked file; include from the root of the repository')
            elif not may_include(user, part_of(included)):
                faults.append(f"{where}: {user} must not include {part_of(included)} ({included})")
    return faults + cycles(graph)


def cycles(graph):
    """One fault for each cycle met while walking the includes depth first."""
    faults, done, path = [], set(), []

    def visit(name):
        if name in path:
            faults.append(f"{name}:1: include cycle: {' -> '.join(path[path.index(name):] + [name])}")
            return
        if name in done or name not in graph:
            return
        path.append(name)
        for _, quote, included in graph[name]:
            if quote == '"':
                visit(included)
        path.pop()
        done.add(name)

    for name in graph:
        visit(name)
    return faults


def self_test():
    """Each rule on the smallest tree that breaks it, and on one that breaks none."""
    good = {
        "io/ring.h": [(1, "<", "liburing.h")],
        "core/http/codec.h": [(1, '"', "core/config/config.h"), (2, '"', "llhttp.h")],
        "core/config/config.h": [],
        "core/worker/worker.h": [(1, '"', "io/ring.h"), (2, '"', "core/http/codec.h")],
        "tests/io/ring_test.cc": [(1, '"', "io/ring.h"), (2, '"', "gtest/gtest.h")],
    }
    assert check(good) == [], check(good)
    bad = {
        "the ground floor knows core": {"io/a.h": [(7, '"', "core/log/b.h")], "core/log/b.h": []},
        "the ground floor knows itself": {"io/a.h": [(7, '"', "tls/b.h")], "tls/b.h": []},
        "a floor knows a higher one": {"core/http/a.h": [(7, '"', "core/backend/b.h")], "core/backend/b.h": []},
        "the program knows its tests": {"io/a.h": [(7, '"', "tests/b.h")], "tests/b.h": []},
        "a third party where it must not be": {"io/a.h": [(7, "<", "openssl/ssl.h")]},
        "a file that does not exist": {"io/a.h": [(7, '"', "io/gone.h")]},
        "a cycle": {"io/a.h": [(7, '"', "io/b.h")], "io/b.h": [(7, '"', "io/a.h")]},
        "an unknown floor": {"core/attic/a.h": []},
    }
    for what, graph in bad.items():
        assert len(check(graph)) == 1, f"{what}: {check(graph)}"


def main():
    self_test()
    files = source_files.cpp(source_files.tracked())
    for folder in source_files.PROGRAM_FOLDERS:
        if not any(name.startswith(folder + "/") for name in files):
            print(f"{folder}/: holds no C++ files, nothing to check")
            return 1
    graph = {name: source_files.includes(name) for name in files}
    faults = check(graph)
    print("\n".join(faults))
    print(f"{len(files)} files, {sum(map(len, graph.values()))} includes, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
