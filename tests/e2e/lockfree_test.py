"""No lock on the data path: while two workers are under load, neither ever enters the kernel for one.

A contended lock of any kind (mutex, rwlock, the allocator's arenas, the TLS library's own) ends in futex(2). The server
runs under strace, which notes each futex and io_uring_enter call with its thread; workers are the threads which enter
the ring. Under load from several processes at once, with connections accepted, refused, resumed and dropped, their
futex count must be exactly zero. Uncontended locks do not show here; two workers which shared one would contend soon.
"""

import re
import subprocess
import threading
import time
from collections import Counter

import harness
from clients import poll_until, request_bytes, tls_context
from harness import E2ETest, host, http_config

LOAD_SECONDS = 4
LINE = re.compile(r"^(\d+) +(\d+\.\d+) (?:<\.\.\. )?(\w+)")


class LockFree(E2ETest):

    def setUp(self):
        super().setUp()
        self.trace = self.dir / "strace"
        app = self.http_backend()
        config = http_config(self.pki, app.address)
        config["listeners"][0]["hosts"] = ["app.localhost", "a.localhost"]
        config["virtual_hosts"].append(host(self.pki, ["a.localhost"], refusal="alert"))
        config["trusts"][0]["crl"] = [str(self.pki.ca_crl)]
        self.server = self.serve(config, wrapper=[
            "strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-e", "trace=futex,io_uring_enter", "-e", "signal=none",
            "-o", str(self.trace)])

    def handshakes(self, version, seconds):
        """openssl s_time: full handshakes as fast as one process can."""
        command = ["openssl", "s_time", "-connect", f"127.0.0.1:{self.server.port}", "-new", "-time", str(seconds),
                   version, "-CAfile", str(self.pki.ca.crt), "-cert", str(self.pki.client.crt),
                   "-key", str(self.pki.client.key)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def exchanges(self, name, until):
        """Requests on kept and on new connections, resumed ones among them, until the clock says so."""
        context, session = tls_context(getattr(self.pki, name, None), self.pki.ca.crt), None
        while time.monotonic() < until:
            with self.client(self.server, context=context, session=session) as client:
                for _ in range(5):
                    client.send(request_bytes("POST /echo HTTP/1.1\nHost: app.localhost\nContent-Length: 40000")
                                + b"e" * 40_000)
                    status = client.http.response("POST").status
                    if status != 200:
                        break
                session = client.tls.session if status == 200 else None

    def load(self, seconds):
        until = time.monotonic() + seconds
        processes = [self.handshakes(version, seconds) for version in ("-tls1_2", "-tls1_3")]
        threads = [threading.Thread(target=self.exchanges, args=(name, until))
                   for name in ("client", "client_second", "revoked")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for process in processes:
            process.wait(60)
        self.clients.clear()

    def test_workers_never_wait_for_a_lock(self):
        self.load(1)  # the same mix: whatever is initialised at first use (pthread_once wakes a futex too) is by then
        before, began = self.server.metrics(), time.time()
        self.load(LOAD_SECONDS)
        ended = time.time()
        poll_until(lambda: self.server.metrics().sum("portcullis_active_connections") == 0, "all gone")
        calls = {"futex": Counter(), "io_uring_enter": Counter()}
        for line in self.trace.read_text(errors="replace").splitlines():
            match = LINE.match(line)
            if match and began <= float(match.group(2)) <= ended and match.group(3) in calls:
                calls[match.group(3)][match.group(1)] += 1
        workers = [thread for thread, count in calls["io_uring_enter"].items() if count > 100]
        self.assertEqual(len(workers), 2, calls)
        moved = self.server.metrics().sum("portcullis_handshake_duration_seconds_count") - before.sum(
            "portcullis_handshake_duration_seconds_count")
        self.assertGreater(moved, 500, "enough load to mean something")
        self.assertEqual({worker: calls["futex"][worker] for worker in workers}, {worker: 0 for worker in workers})


if __name__ == "__main__":
    harness.main()
