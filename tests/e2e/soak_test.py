"""Rounds of every kind of connection, and reloads while connections are held: after the first rounds have filled the
caches, memory and descriptors no longer grow."""

import random
import signal

import harness
from backends import tcp_echo
from clients import Closed, poll_until, request_bytes, tls_context
from harness import MIB, SANITIZER, SLOW, E2ETest, host, http_config

ROUNDS = 3 if SANITIZER else 8
PER_ROUND = 20 if SANITIZER else 50
GROWTH = 2 * MIB  # over the last rounds together: 5 KiB a connection would already show
RELOADS = "portcullis_config_reloads_total"
GET = "GET / HTTP/1.1\nHost: app.localhost"
REVOKED = 20_000 if SANITIZER else 200_000  # the entries of a CRL, which take 6 MB
# From the first reloads to the last, four later: each would leave an index that connections hold on to, where they did.
RELOAD_GROWTH = 3 * MIB


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


class HeldThroughReloads(E2ETest):
    """Connections of every configuration so far stay, and not one of these configurations does."""

    def reload(self, number):
        first = random.Random(number).getrandbits(120)
        self.pki.ca.crl(self.crl, serials=range(first, first + REVOKED))
        self.server.send_signal(signal.SIGHUP)
        poll_until(lambda: self.server.metrics().sum(RELOADS, result="success") == number, "a reload", 20 * SLOW)

    def connect(self):
        pair = []
        for listener, name in (("main", "app.localhost"), ("raw", "b.localhost")):
            self.server.port = self.server.ports[listener]
            pair.append(self.client(self.server, sni=name))
        self.pairs.append(pair)

    def check_all(self):
        for http, tcp in self.pairs:
            self.assertEqual(http.request(GET).status, 200)
            tcp.send(b"ping")
            self.assertEqual(tcp.recv_exactly(4), b"ping")

    def test_memory_settles(self):
        self.crl, self.pairs = self.dir / "ca.crl", []
        self.pki.ca.crl(self.crl)
        config = http_config(self.pki, self.http_backend().address)
        config["listeners"].append({"name": "raw", "address": "127.0.0.1:0", "mode": "tcp", "hosts": ["b.localhost"]})
        config["virtual_hosts"].append(host(self.pki, ["b.localhost"], refusal="alert", backend="echo"))
        config["backends"].append({"name": "echo", "targets": [self.backend(tcp_echo).address]})
        config["trusts"][0]["crl"] = [str(self.crl)]
        self.server = self.serve(config)
        sizes = []
        for number in range(1, 8):
            self.connect()
            self.reload(number)
            self.check_all()
            sizes.append(self.server.rss())
        if not SANITIZER:  # whose runtime keeps what is freed
            bound = max(sizes[:3]) + RELOAD_GROWTH
            poll_until(lambda: self.server.rss() < bound,
                       lambda: f"memory given back: {[size // 1024 for size in [*sizes, self.server.rss()]]} KiB")


if __name__ == "__main__":
    harness.main()
