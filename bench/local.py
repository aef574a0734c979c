"""What the scripts that measure on this machine share: processes, their CPU, certificates."""

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The tests' packages too: the benchmarks are built on one of them. A build by deploy/quickstart has neither.
BUILD = "deploy/deps --test && cmake --preset release -DPORTCULLIS_BUILD_TESTS=ON && cmake --build build/release"
TICKS = os.sysconf("SC_CLK_TCK")
P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
KEYS = {"p256": P256, "rsa2048": ["-newkey", "rsa:2048", "-nodes"], "rsa4096": ["-newkey", "rsa:4096", "-nodes"]}


class Fault(SystemExit):
    """What went wrong, in words for the user. Ends a script that cannot do without what failed."""


def need_built(*paths):
    """Ends the script with 2, and says what builds them, unless all of `paths` are there."""
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        print(f"{', '.join(missing)} missing; build first: {BUILD}", file=sys.stderr)
        sys.exit(2)


def stat_fields(text):
    """The fields of /proc/PID/stat from the third on: the name before them may hold anything."""
    return text.rsplit(") ", 1)[1].split()


def cpu_seconds(pid):
    """User and system time of a process, its threads that have ended included."""
    fields = stat_fields(Path(f"/proc/{pid}/stat").read_text())
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_for(condition, what, timeout=30):
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Fault(f"{what} did not come up")
        time.sleep(0.02)
    return found


def openssl(folder, *arguments):
    """Runs openssl in `folder` and returns its stdout."""
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder).stdout


def issue(folder, name, issuer, issuer_key, extensions, key="p256"):
    """A certificate NAME.crt of a new key NAME.key, by `issuer`; all are files in `folder`."""
    openssl(folder, "req", "-new", *KEYS[key], "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-days", 2, "-in", f"{name}.csr", "-CA", issuer, "-CAkey", issuer_key,
            "-CAcreateserial", "-extfile", extensions, "-out", f"{name}.crt")


def make_pki(folder, key="p256"):
    """Root, intermediate, server and client: the chains that the benchmarks in memory have too.

    In `folder`: ca/ca.crt; tls/tls.crt (leaf and intermediate) and tls/tls.key; client.crt (likewise) and client.key;
    issuer.pem, the intermediate with its key.
    """
    (folder / "tls").mkdir()
    (folder / "ca").mkdir()
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\n")
    (folder / "leaf.ext").write_text("subjectAltName=DNS:localhost\n")
    openssl(folder, "req", "-x509", *KEYS[key], "-days", 2, "-subj", "/CN=Bench Root", "-keyout", "root.key",
            "-out", "ca/ca.crt")
    issue(folder, "intermediate", "ca/ca.crt", "root.key", "ca.ext", key)
    for name in ("server", "client"):
        issue(folder, name, "intermediate.crt", "intermediate.key", "leaf.ext", key)
    intermediate = (folder / "intermediate.crt").read_text()
    (folder / "issuer.pem").write_text(intermediate + (folder / "intermediate.key").read_text())
    (folder / "client.crt").write_text((folder / "client.crt").read_text() + intermediate)
    (folder / "tls/tls.crt").write_text((folder / "server.crt").read_text() + intermediate)
    (folder / "server.key").rename(folder / "tls/tls.key")


def terminator_config(folder, mode, backend, **more):
    """What `portcullis serve` is measured with: one worker, one listener "main", nothing logged, the PKI of `folder`.

    `more` adds sections, or replaces them.
    """
    return {"workers": 1, "pin_workers": False, "admin": {"address": "127.0.0.1:0"}, "log": {"connections": "off"},
            "listeners": [{"name": "main", "address": "127.0.0.1:0", "mode": mode}],
            "virtual_hosts": [{"server_names": ["localhost"], "certificates": [{"folder": str(folder / "tls")}],
                               "backend": "app",
                               "client_auth": {"mode": "require", "trust": "clients",
                                               "refusal": "http" if mode == "http" else "alert"}}],
            "trusts": [{"name": "clients", "folder": str(folder / "ca")}],
            "backends": [{"name": "app", "targets": [backend]}], **more}


def floor_us(build, core, name, seconds=0.5):
    """CPU of a handshake in memory, the server's calls of the TLS library alone, in microseconds (floor_bench)."""
    out = subprocess.run(["taskset", "-c", str(core), str(build / "bench/floor_bench"),
                          f"--benchmark_filter=^{name}/",  # other cases have names that begin like this one's
                          f"--benchmark_min_time={seconds}", "--benchmark_format=json"],
                         capture_output=True, text=True, check=True)
    return json.loads(out.stdout)["benchmarks"][0]["real_time"]


def host_facts():
    """The machine and the commit."""
    head = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True,
                          check=False)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"cpu": model[1] if model else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "commit": head.stdout.strip() or "unknown"}


def host_line():
    """The same as the first line of a report."""
    facts = host_facts()
    return f"host: {facts['cpu']}, {facts['cores']} cores; kernel {facts['kernel']}; commit {facts['commit']}"
