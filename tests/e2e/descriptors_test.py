"""Descriptors: a server raises its own limit at its start, says so where it may not, and tells of accepts that fail."""

import re
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness
from backends import tcp_echo
from clients import TlsClient, poll_until, tls_context
from harness import SLOW, E2ETest, http_config, tcp_config

GET = "GET / HTTP/1.1\nHost: app.localhost"
SOFT = 256
CONNECTIONS = 600
FAILURES = "portcullis_accept_failures_total"
ACTIVE = "portcullis_active_connections"


class Descriptors(E2ETest):

    def connect_all(self, server, count):
        context = tls_context(self.pki.client, self.pki.ca.crt)
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda _: self.client(server, context=context), range(count)))

    def test_a_low_soft_limit_is_raised_and_connections_beyond_it_are_served(self):
        harness.raise_descriptor_limit()
        server = self.serve(http_config(self.pki, self.http_backend().address, limits={"max_connections": 2000}),
                            wrapper=("prlimit", f"--nofile={SOFT}:"))
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        needed = min(2 * 2000 + 64, hard)
        self.assertGreaterEqual(soft, needed)
        room = re.search(r"FDSize:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())
        self.assertGreaterEqual(int(room[1]), needed, "or a worker waits for the kernel to make it")
        clients = self.connect_all(server, CONNECTIONS)
        for client in clients:
            self.assertEqual(client.request(GET).status, 200)
        metrics = server.metrics()
        self.assertEqual(metrics.sum(ACTIVE), CONNECTIONS)
        self.assertEqual(metrics.sum(FAILURES), 0)
        self.assertNotIn("open files", server.stderr())

    def test_a_hard_limit_that_is_short_is_told_with_numbers_and_remedy(self):
        server = self.serve(http_config(self.pki, self.http_backend().address),
                            wrapper=("prlimit", f"--nofile={SOFT}:{SOFT}"))
        self.assertRegex(server.stderr(), rf"open files: the limit is {SOFT}, and 16384 connections need \d+: "
                         r"set LimitNOFILE=\d+ .*limits\.max_connections: \d+")
        self.assertEqual(resource.prlimit(server.pid, resource.RLIMIT_NOFILE), (SOFT, SOFT))

    def test_accepts_that_fail_are_counted_and_told_and_those_who_wait_are_served_later(self):
        server = self.serve(tcp_config(self.pki, self.backend(tcp_echo).address),
                            wrapper=("prlimit", f"--nofile={SOFT}:{SOFT}"))
        held = self.connect_all(server, (SOFT - server.fds()) // 2 - 2)
        waiting = [TlsClient(server.port, cert=self.pki.client, cacert=self.pki.ca.crt, handshake=False,
                             timeout=20 * SLOW) for _ in range(20)]
        self.clients += waiting
        told = "accepting connections failed"
        poll_until(lambda: told in server.stderr(), "a line about it", 20 * SLOW)
        self.assertIn("Too many open files", server.stderr())
        for client in held:
            client.close()
        for client in waiting:
            client.handshake()
            client.send(b"ping")
            self.assertEqual(client.recv_exactly(4), b"ping")
        self.assertGreater(server.metrics().sum(FAILURES, listener="main"), 0)
        self.assertEqual(server.stderr().count(told), 1)


if __name__ == "__main__":
    harness.main()
