"""Slow and silent clients: each deadline closes what it should, when it should, and hurts nobody else.

Times are measured from what happens, never slept for: a drip of bytes goes on until the server ends the connection.
"""

import select
import ssl
import time

import harness
from backends import tcp_echo
from clients import poll_until, tls_context
from harness import SLOW, E2ETest, http_config, tcp_config

DURATION = "portcullis_handshake_duration_seconds_count"
REJECTIONS = "portcullis_handshake_rejections_total"
LIMIT = 0.6  # seconds, of the deadline under test


def drip(sock, data, seconds_between=0.03):
    """Sends `data` byte by byte until the peer ends the connection; returns what the peer sent."""
    got = bytearray()
    for byte in data:
        if select.select([sock], [], [], seconds_between)[0]:
            try:
                piece = sock.recv(65536)
            except ConnectionResetError:
                return bytes(got)
            if not piece:
                return bytes(got)
            got += piece
        try:
            sock.send(bytes([byte]))
        except OSError:
            return bytes(got)
    raise AssertionError("the drip ran dry before the connection was ended")


class Deadlines(E2ETest):

    def start(self, config=http_config, serve=None, **timeouts):
        app = self.backend(serve) if serve else self.http_backend()
        every = {"handshake": "60s", "request_head": "60s", "idle": "60s", **timeouts}
        self.server = self.serve(config(self.pki, app.address, timeouts=every))

    def expect_took(self, began, limit=LIMIT):
        took = time.monotonic() - began
        self.assertGreater(took, limit * 0.8)
        self.assertLess(took, limit + 2 * SLOW)

    def expect_timeout(self, before, version):
        poll_until(lambda: self.server.metrics().sum(DURATION) > before.sum(DURATION), "the handshake counted")
        moved = self.server.metrics().moved(before)
        self.assertEqual({key: delta for key, delta in moved.items() if key[0] in (DURATION, REJECTIONS)}, {
            (DURATION, frozenset({("listener", "main"), ("result", "failed"), ("version", version),
                                  ("resumed", "false")})): 1,
            (REJECTIONS, frozenset({("listener", "main"), ("reason", "timeout")})): 1})
        self.assertEqual(self.server.wait_log(event="refused")[-1]["reason"], "timeout")

    def client_hello(self):
        """The first flight of a good client, and the client."""
        client = self.client(self.server, handshake=False)
        try:
            client.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return client, client._out.read()  # pylint: disable=protected-access

    def test_a_client_that_says_nothing(self):
        self.start(handshake="600ms")
        before = self.server.metrics()
        client = self.client(self.server, handshake=False)
        began = time.monotonic()
        while client.socket.recv(100):  # at most an alert
            pass
        self.expect_took(began)
        self.expect_timeout(before, "unknown")

    def test_a_client_hello_byte_by_byte_does_not_put_the_deadline_off(self):
        self.start(handshake="600ms")
        before = self.server.metrics()
        client, hello = self.client_hello()
        began = time.monotonic()
        drip(client.socket, hello)
        self.expect_took(began)
        self.expect_timeout(before, "unknown")

    def test_a_client_that_stops_halfway(self):
        self.start(handshake="600ms")
        before = self.server.metrics()
        client, hello = self.client_hello()
        began = time.monotonic()
        client.socket.sendall(hello)
        while client.socket.recv(65536):
            pass
        self.expect_took(began)
        self.expect_timeout(before, "1.3")

    def test_a_client_that_never_asks(self):
        self.start(request_head="600ms")
        began = time.monotonic()
        client = self.client(self.server)
        self.expect_late_head(client)
        self.expect_took(began)

    def test_a_head_byte_by_byte_does_not_put_the_deadline_off(self):
        self.start(request_head="600ms")
        began = time.monotonic()
        client = self.client(self.server)
        for byte in b"GET / HTTP/1.1\r\nHost: app.localhost\r\nX-Long: " + b"x" * 1000:
            if not client.quiet(0.03):
                break
            client.send(bytes([byte]))
        self.expect_late_head(client)
        self.expect_took(began)

    def expect_late_head(self, client):
        """408, or nothing as nginx does; and the end."""
        rest = client.recv_all()
        self.assertTrue(rest == b"" or rest.startswith(b"HTTP/1.1 408 "), rest)
        self.assertEqual(client.ended, "close_notify")

    def test_a_second_request_s_head_has_a_deadline_of_its_own(self):
        self.start(request_head="600ms")
        client = self.client(self.server)
        self.assertEqual(client.request("GET / HTTP/1.1\nHost: app.localhost").status, 200)
        client.send(b"GET /never")
        began = time.monotonic()
        self.expect_late_head(client)
        self.expect_took(began)

    def test_a_kept_connection_that_is_idle(self):
        self.start(idle="600ms")
        client = self.client(self.server)
        self.assertEqual(client.request("GET / HTTP/1.1\nHost: app.localhost").status, 200)
        began = time.monotonic()
        self.assertEqual(client.wait_end(), "close_notify")
        self.expect_took(began)
        self.assertIn(self.server.wait_log(event="connection")[0]["close"], ("idle", "timeout"))

    def test_a_tcp_connection_that_is_idle_and_one_that_is_not(self):
        self.start(config=tcp_config, serve=tcp_echo, idle="600ms")
        idle, busy = self.client(self.server), self.client(self.server)
        idle.send(b"x")
        self.assertEqual(idle.recv(), b"x")
        began = time.monotonic()
        while time.monotonic() - began < 2 * LIMIT:
            busy.send(b"tick")
            self.assertEqual(busy.recv_exactly(4), b"tick")
            if not busy.quiet(0.05):
                self.fail("the busy connection ended")
        idle.wait_end()
        self.assertIn(self.server.wait_log(event="connection")[0]["close"], ("idle", "timeout"))
        busy.send(b"still here")
        self.assertEqual(busy.recv_exactly(10), b"still here")

    def test_two_hundred_silent_clients_do_not_delay_a_good_one(self):
        self.start(handshake="30s")
        for _ in range(200):
            self.client(self.server, handshake=False)
        poll_until(lambda: self.server.metrics().sum("portcullis_handshakes_in_progress") == 200, "all in progress")
        context = tls_context(self.pki.client, self.pki.ca.crt)
        for _ in range(10):
            began = time.monotonic()
            with self.client(self.server, context=context) as good:
                self.assertEqual(good.request("GET / HTTP/1.1\nHost: app.localhost").status, 200)
            self.assertLess(time.monotonic() - began, 1 * SLOW)


if __name__ == "__main__":
    harness.main()
