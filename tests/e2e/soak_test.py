"""Rounds of every kind of connection: after the first rounds have filled the caches, memory and descriptors no longer
grow."""

import harness
from clients import Closed, poll_until, request_bytes, tls_context
from harness import MIB, SANITIZER, E2ETest, host, http_config

ROUNDS = 3 if SANITIZER else 8
PER_ROUND = 20 if SANITIZER else 50
GROWTH = 2 * MIB  # over the last rounds together: 5 KiB a connection would already show


class Soak(E2ETest):

    def setUp(self):
        super().setUp()
        app = self.http_backend()
        config = http_config(self.pki, app.address)
        config["listeners"].append({"name": "strict", "address": "127.0.0.1:0", "hosts": ["a.localhost"]})
        config["virtual_hosts"].append(host(self.pki, ["a.localhost"], refusal="alert"))
        self.server = self.serve(config)
        self.contexts = {(name, version): tls_context(getattr(self.pki, name, None), self.pki.ca.crt, version)
                         for name in ("client", "expired", "none") for version in ("1.2", "1.3")}

    def served(self, version):
        with self.client(self.server, context=self.contexts["client", version]) as client:
            client.send(request_bytes("POST /echo HTTP/1.1\nHost: app.localhost\nContent-Length: 50000"))
            client.send(b"s" * 50_000)
            self.assertEqual(client.http.response("POST").status, 200)

    def refused_by_page(self, version):
        for name in ("expired", "none"):
            with self.client(self.server, context=self.contexts[name, version]) as client:
                self.assertEqual(client.request("GET / HTTP/1.1\nHost: app.localhost").status, 400)

    def refused_by_alert(self, version):
        self.server.port = self.server.ports["strict"]
        try:
            with self.client(self.server, sni="a.localhost", context=self.contexts["expired", version]) as client:
                self.assertIn("alert", client.wait_end())
        except Closed as end:
            self.assertIn("alert", end.how)
        finally:
            self.server.port = self.server.ports["main"]

    def broken_off(self, version):
        """Gone in the handshake, gone mid-request, gone mid-response."""
        self.client(self.server, handshake=False, context=self.contexts["client", version]).abort()
        half = self.client(self.server, context=self.contexts["client", version])
        half.send(b"POST /echo HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 100\r\n\r\nhalf")
        half.abort()
        unread = self.client(self.server, context=self.contexts["client", version])
        unread.send(request_bytes("GET / HTTP/1.1\nHost: app.localhost"))
        unread.abort()

    def one_round(self):
        for number in range(PER_ROUND):
            version = ("1.2", "1.3")[number % 2]
            self.served(version)
            self.refused_by_page(version)
            self.refused_by_alert(version)
            self.broken_off(version)
        self.clients.clear()
        poll_until(lambda: self.server.metrics().sum("portcullis_active_connections") == 0, "the round over")
        return self.server.rss()

    def test_memory_settles(self):
        sizes = [self.one_round() for _ in range(ROUNDS)]
        if not SANITIZER:
            grown = sizes[-1] - sizes[ROUNDS // 2 - 1]
            self.assertLess(grown, GROWTH, f"resident after each round: {[size // 1024 for size in sizes]} KiB")


if __name__ == "__main__":
    harness.main()
