"""A backend that dies mid-response: the client must see a truncated stream, never what could pass for a whole one.

Whole would be: all of Content-Length, the last chunk, or (without either) a close_notify.
"""

import threading

import harness
from clients import Closed, poll_until, request_bytes
from harness import E2ETest, http_config
from http1 import Stream, Truncated

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
PART = b"p" * 50_000
CHUNK = b"c350\r\n" + PART + b"\r\n"

# Path, what is sent, whether the connection is reset (else ended in order).
DEATHS = {
    "/length-fin": (LENGTH + PART, False),
    "/length-rst": (LENGTH + PART, True),
    "/length-one-short": (b"HTTP/1.1 200 OK\r\nContent-Length: 50001\r\n\r\n" + PART, False),
    "/between-chunks-fin": (CHUNKED + CHUNK, False),
    "/between-chunks-rst": (CHUNKED + CHUNK, True),
    "/mid-chunk-fin": (CHUNKED + b"fffff\r\n" + PART, False),
    "/mid-chunk-rst": (CHUNKED + b"fffff\r\n" + PART, True),
    "/mid-last-chunk": (CHUNKED + CHUNK + b"0\r\n", False),
    "/bad-chunk": (CHUNKED + CHUNK + b"zz\r\n", False),
    "/close-rst": (CLOSE + PART, True),
}


class Truncation(E2ETest):

    def setUp(self):
        super().setUp()
        self.go = threading.Event()
        self.app = self.http_backend({path: self.dying(*death) for path, death in DEATHS.items()})
        self.server = self.serve(http_config(self.pki, self.app.address))

    def dying(self, data, reset):
        """A route which sends `data`, and dies once it is told that this arrived."""
        def route(connection, _request):
            connection.send(data)
            self.go.wait(20)
            if reset:
                connection.reset()
            return False
        return route

    def die_after(self, client, request, count):
        """Sends `request`, reads until `count` bytes of the body came, lets the backend die; returns all that came."""
        self.go.clear()
        client.send(request)
        got = bytearray()
        try:
            while got.count(b"p") < count:
                got += client.recv()
        except Closed:  # what the backend sent was wrong in itself
            return bytes(got)
        finally:
            self.go.set()
        return bytes(got) + client.recv_all()

    def test_a_raw_client_sees_the_cut(self):
        for path in DEATHS:
            for version in ("1.2", "1.3"):
                with self.subTest(path=path, tls=version):
                    client = self.client(self.server, version=version)
                    got = self.die_after(client, request_bytes(f"GET {path} HTTP/1.1\nHost: app.localhost"), len(PART))
                    self.assertIn(client.ended, ("eof", "reset"), "no close_notify")
                    self.assertTrue(got.startswith(b"HTTP/1.1 200 OK\r\n") or (path, got) == ("/bad-chunk", b""))
                    self.assertFalse(got.endswith(b"\r\n0\r\n\r\n"), got[-100:])
                    stream = Stream(iter([got, b"", b"", b""]).__next__)
                    if path != "/close-rst" or b"chunked" in got[:300]:
                        with self.assertRaises(Truncated) as cut:
                            stream.response()
                        if path != "/bad-chunk":
                            self.assertEqual(cut.exception.got, PART)

    def test_an_old_client_sees_the_cut_too(self):
        for path in DEATHS:
            with self.subTest(path=path):
                client = self.client(self.server)
                self.die_after(client, f"GET {path} HTTP/1.0\r\nHost: app.localhost\r\n\r\n".encode(), len(PART))
                self.assertIn(client.ended, ("eof", "reset"), "no close_notify")

    def test_curl_reports_a_transfer_that_ended_early(self):
        self.go.set()
        for path in DEATHS:
            if path.endswith("-rst"):
                continue  # a reset at once may take the head with it: then 502 is right
            with self.subTest(path=path):
                answer = self.curl(self.server, path, "--http1.1")
                self.assertIn(answer.exit, (18, 56), answer.stderr)  # partial file; receive error

    def test_each_is_logged_with_the_backend_as_the_cause(self):
        client = self.client(self.server)
        self.die_after(client, request_bytes("GET /length-fin HTTP/1.1\nHost: app.localhost"), len(PART))
        line = self.server.wait_log(event="connection")[0]
        self.assertTrue(line["close"].startswith("backend"), line)

    def test_a_body_ended_by_close_in_order_is_whole(self):
        self.app.routes["/fine"] = lambda c, r: (c.send(CLOSE + PART), False)[1]
        client = self.client(self.server)
        client.send(b"GET /fine HTTP/1.0\r\nHost: app.localhost\r\n\r\n")
        self.assertEqual(client.http.response().body, PART)
        self.assertEqual(client.wait_end(), "close_notify")

    def test_a_client_that_dies_takes_the_backend_s_half_with_it(self):
        """Mid-upload: the backend must not take what came for the whole."""
        ends = []

        def upload(connection, request):
            try:
                for _ in connection.http.body(request):
                    pass
                ends.append("whole")
            except Truncated:
                ends.append("cut")
            return False
        self.app.raw["/upload"] = upload
        for framing in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
            for how in ("abort", "close", "close_notify"):
                with self.subTest(framing=framing, how=how):
                    ends.clear()
                    seen = len(self.app.connections)
                    client = self.client(self.server)
                    client.send(request_bytes(f"POST /upload HTTP/1.1\nHost: app.localhost\n{framing}") + CHUNK)
                    poll_until(lambda: len(self.app.connections) > seen, "the backend reached")
                    {"abort": client.abort, "close": client.close, "close_notify": client.send_close_notify}[how]()
                    poll_until(lambda: ends, "the backend's end")
                    self.assertEqual(ends, ["cut"])


if __name__ == "__main__":
    harness.main()
