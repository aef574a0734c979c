"""What the scripts that measure on this machine share: processes, their CPU, certificates."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_for(condition, what, timeout=30):
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not come up")
        time.sleep(0.02)
    return found


def openssl(folder, *arguments):
    """Runs openssl in `folder` and returns its stdout."""
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder).stdout


def issue(folder, name, issuer, issuer_key, extensions):
    """A certificate NAME.crt of a new key NAME.key, by `issuer`; all are files in `folder`."""
    openssl(folder, "req", "-new", *P256, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-days", 2, "-in", f"{name}.csr", "-CA", issuer, "-CAkey", issuer_key,
            "-CAcreateserial", "-extfile", extensions, "-out", f"{name}.crt")


def host_line():
    """The machine and the commit, for the first line of a report."""
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (f"host: {model[1] if model else platform.machine()}, {os.cpu_count()} cores; kernel {platform.release()}; "
            f"commit {commit.stdout.strip() or 'unknown'}")
