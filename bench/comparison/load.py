"""The load beside the servers: generator and backend on the one core, spinners of idle class on both."""

import copy
import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

from local import Fault, wait_for

from comparison import process

GROUPS = "X25519:P-256"
AUTOGROUP = Path("/proc/self/autogroup")
# Takes what nobody else wants, and ends with whoever started it. It yields all the while: one that only counts may go
# on for milliseconds when a server or the generator wakes, for the kernel lets a time slice run out.
SPINNER = """
import os
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(100000):
        os.sched_yield()
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spinner(core):
    """Keeps a core from halting, which in a virtual machine would cost the server more than its work."""
    return subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", SPINNER])


def prefer_session(path=AUTOGROUP):
    """Has the kernel prefer this session's processes to what else the machine does, where it schedules by session and
    lets us: kernel threads and daemons take turns of milliseconds otherwise. Returns what undoes it, or None."""
    try:
        before = int(path.read_text().split()[-1])
        path.write_text("-20")
    except (OSError, ValueError, IndexError):
        return None
    return lambda: path.write_text(str(before))


class Backend:
    """`portcullis backend` on a socket that every user of the machine may connect to: some peers drop root."""

    def __init__(self, binary, folder, core):
        path = folder / "backend.sock"
        self.path = str(path)
        self.process = subprocess.Popen(["taskset", "-c", str(core), str(binary), "backend", "--listen",
                                         f"unix:{path}"], stdout=subprocess.DEVNULL)
        try:
            wait_for(path.exists, "the backend")
            path.chmod(0o777)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        process.stop(self.process)


class Load:
    """Runs portcullis-loadgen."""

    def __init__(self, build, folder, core):
        self.binary = build / "portcullis-loadgen"
        self.json = folder / "load.json"
        self.core = core

    def second(self):
        """Another, to run at the same time."""
        other = copy.copy(self)
        other.json = self.json.with_name("second.json")
        return other

    def command(self, port, *arguments):
        self.json.unlink(missing_ok=True)
        return ["taskset", "-c", str(self.core), str(self.binary), "--target", f"127.0.0.1:{port}", "--quiet",
                "--groups", GROUPS, "--warmup", "0", "--json", str(self.json), *map(str, arguments)]

    def result(self):
        if not self.json.exists():
            raise Fault("portcullis-loadgen left no result")
        return json.loads(self.json.read_text())

    def start(self, port, *arguments):
        """In the background; result() once it has ended."""
        return subprocess.Popen(self.command(port, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def run(self, port, *arguments):
        """The result. That it has failures, or nothing else, is the caller's to judge."""
        done = subprocess.run(self.command(port, *arguments), capture_output=True, text=True, check=False)
        if not self.json.exists():
            raise Fault(f"portcullis-loadgen: {done.stderr.strip()}")
        return self.result()


def pair(pki):
    """The arguments for one good client, who comes again and again."""
    return ["--cert", pki / "client.crt", "--key", pki / "client.key"]


def raise_descriptor_limit():
    """For this process and all it starts; returns the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def is_root():
    return os.geteuid() == 0
