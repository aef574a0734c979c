"""What the kernel says of a server's processes: CPU, memory, connections."""

import contextlib
import os
import signal
import time
from pathlib import Path

from local import cpu_seconds, stat_fields

ESTABLISHED = "01"


def smaps_kib(text, name):
    """A line of /proc/PID/smaps_rollup, in KiB."""
    for line in text.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ValueError(f"no {name} in smaps_rollup")


def count_established(text, port):
    """Connections that local port `port` has, by the text of /proc/net/tcp."""
    end = f":{port:04X}"
    rows = (line.split() for line in text.splitlines()[1:])
    return sum(1 for row in rows if row[1].endswith(end) and row[3] == ESTABLISHED)


def established(port):
    return count_established(Path("/proc/net/tcp").read_text(), port)


class ProcessTree:
    """A process that was started here and all it has started in turn."""

    def __init__(self, pid):
        self.pid = pid

    def pids(self):
        found, look_at = [], [self.pid]
        while look_at:
            pid = look_at.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended since
                    look_at += [int(child) for child in children.read_text().split()]
        return found

    def cpu_seconds(self):
        return sum(cpu_seconds(pid) for pid in self.pids())

    def memory(self):
        """Proportional and resident memory in bytes, and what of it is in huge pages."""
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids()]
        return {name: 1024 * sum(smaps_kib(text, name) for text in texts)
                for name in ("Pss", "Rss", "AnonHugePages")}


def _start_time(pid):
    """When it started; None when it is gone or only waits to be reaped."""
    try:
        fields = stat_fields(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def stop(process, patience=10):
    """Ends a Popen and what it started: asks first, then kills, each by its pid and no other's."""
    members = {pid: _start_time(pid) for pid in ProcessTree(process.pid).pids()} if process.poll() is None else {}

    def alive():
        process.poll()  # reaps it
        return [pid for pid, began in members.items() if began and _start_time(pid) == began]

    def wait(seconds):
        deadline = time.monotonic() + seconds
        while alive() and time.monotonic() < deadline:
            time.sleep(0.02)

    process.terminate()
    wait(patience)
    for pid in alive():
        os.kill(pid, signal.SIGKILL)
    wait(patience)
