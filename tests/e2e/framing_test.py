"""Strict framing: what could be read two ways is refused with 400 (or what RFC 9112 asks for) and the connection
closes, and nothing of it reaches a backend."""

import harness
from clients import request_bytes
from harness import E2ETest, http_config

HOST = b"Host: app.localhost\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


def post(*lines, body=b""):
    return b"POST /echo HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


# What, the bytes, and the statuses that refuse it.
AMBIGUOUS = [
    ("length and chunked", post(b"Content-Length: 6", b"Transfer-Encoding: chunked", body=b"0\r\n\r\nX"), [400]),
    ("chunked and length", post(b"Transfer-Encoding: chunked", b"Content-Length: 6", body=b"0\r\n\r\nX"), [400]),
    ("two lengths", post(b"Content-Length: 5", b"Content-Length: 6", body=b"123456"), [400]),
    ("two lengths in a list", post(b"Content-Length: 5, 6", body=b"123456"), [400]),
    ("signed length", post(b"Content-Length: +5", body=b"12345"), [400]),
    ("negative length", post(b"Content-Length: -1"), [400]),
    ("hexadecimal length", post(b"Content-Length: 0x5", body=b"12345"), [400]),
    ("huge length", post(b"Content-Length: 99999999999999999999999"), [400, 413]),
    ("empty length", post(b"Content-Length: "), [400]),
    ("unknown coding", post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), [400, 501]),
    ("chunked not last", post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), [400, 501]),
    ("chunked twice", post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), [400, 501]),
    ("two codings lines", post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
     [400, 501]),
    ("vertical tab before chunked", post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), [400, 501]),
    ("space before the colon", post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), [400]),
    ("space before the name", b"GET / HTTP/1.1\r\n X: y\r\n" + HOST + b"\r\n", [400]),
    ("folded line", b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\r\n 2\r\n\r\n", [400]),
    ("folded coding", post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n"), [400]),
    ("carriage return in a value", b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\rX-B: 2\r\n\r\n", [400]),
    ("line feed alone", b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\nContent-Length: 5\r\n\r\n", [400]),
    ("zero byte in a value", b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\x002\r\n\r\n", [400]),
    ("zero byte in a name", b"GET / HTTP/1.1\r\n" + HOST + b"X\x00A: 1\r\n\r\n", [400]),
    ("no name", b"GET / HTTP/1.1\r\n" + HOST + b": 1\r\n\r\n", [400]),
    ("no colon", b"GET / HTTP/1.1\r\n" + HOST + b"Novalue\r\n\r\n", [400]),
    ("no host", b"GET / HTTP/1.1\r\n\r\n", [400]),
    ("two hosts", b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", [400]),
    ("host with a space", b"GET / HTTP/1.1\r\nHost: app.localhost evil\r\n\r\n", [400]),
    ("host with a user", b"GET / HTTP/1.1\r\nHost: me@app.localhost\r\n\r\n", [400]),
    ("another authority in the target", b"GET http://evil.localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", [400, 421]),
    ("space in the target", b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
    ("control in the target", b"GET /a\x01 HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
    ("tab instead of space", b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
    ("lower-case protocol", b"GET / http/1.1\r\n" + HOST + b"\r\n", [400]),
    ("version 1.2 written 1.10", b"GET / HTTP/1.10\r\n" + HOST + b"\r\n", [400, 505]),
    ("version 2", b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", [400, 505]),
    ("no version", b"GET /\r\n\r\n", [400]),
    ("chunked from an old client", b"POST /echo HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     [400]),
    ("CONNECT", b"CONNECT app.localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n", [400, 405, 501]),
    ("TRACE", b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", [405, 501]),
    ("a method nobody knows", b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", [400, 405, 501]),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 405, 501, 505]),
    ("not HTTP at all", b"\x00\x01\x02\x03 binary\r\n\r\n", [400]),
]

# Wrong inside a body whose head was fine: the backend has the head, and must see that the rest is missing.
BAD_CHUNKS = [
    ("size with a prefix", b"0x3\r\nabc\r\n0\r\n\r\n"),
    ("negative size", b"-3\r\nabc\r\n0\r\n\r\n"),
    ("size overflows", b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    ("overflow that wraps to 3", b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    ("no size", b"\r\nabc\r\n0\r\n\r\n"),
    ("space before the size", b" 3\r\nabc\r\n0\r\n\r\n"),
    ("more data than said", b"3\r\nabcdef\r\n0\r\n\r\n"),
    ("line feed ends the size", b"3\nabc\r\n0\r\n\r\n"),
    ("carriage return in an extension", b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
    ("line feed in an extension", b"3;a=1\nabc\r\n0\r\n\r\n"),
    ("endless extension", b"3;" + b"a" * 200_000 + b"\r\nabc\r\n0\r\n\r\n"),
]


class Framing(E2ETest):

    def setUp(self):
        super().setUp()
        self.app = self.http_backend()
        self.server = self.serve(http_config(self.pki, self.app.address, limits={
            "max_request_head_bytes": 8192, "max_headers": 50}))

    def refuse(self, data, statuses):
        """Sends `data` and a request behind it on one connection: one refusal, then the end, and nothing passed."""
        leaked = self.app.received().count(b"/smuggled")
        client = self.client(self.server)
        client.send(data + SMUGGLED)
        answer = client.http.response()
        self.assertIn(answer.status, statuses, answer.start)
        self.assertEqual(answer.get("connection"), "close")
        self.assertEqual(answer.get("content-type"), "text/html")
        self.assertEqual(client.recv_all(), b"", "nothing after the refusal")
        self.assertEqual(self.app.received().count(b"/smuggled"), leaked)
        client.close()
        return answer

    def test_what_can_be_read_two_ways_is_refused(self):
        for what, data, statuses in AMBIGUOUS:
            with self.subTest(what):
                self.app.requests.clear()
                self.refuse(data, statuses)
                self.assertEqual(self.app.requests, [])

    def test_a_broken_body_ends_the_request_on_both_sides(self):
        head = b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
        for what, body in BAD_CHUNKS:
            with self.subTest(what):
                leaked = self.app.received().count(b"/smuggled")
                client = self.client(self.server)
                client.send(head + body + SMUGGLED)
                rest = client.recv_all()
                self.assertTrue(rest.startswith(b"HTTP/1.1 400 ") or rest == b"", rest[:200])
                self.assertEqual(rest.count(b"HTTP/1.1 "), min(1, len(rest)))
                self.assertEqual(self.app.received().count(b"/smuggled"), leaked)
                client.close()
        self.assertEqual(self.app.requests, [], "no request was complete")

    def test_a_head_too_big_is_431(self):
        start = b"GET / HTTP/1.1\r\n" + HOST
        cases = {"one long header": start + b"X-A: " + b"a" * 9000 + b"\r\n\r\n",
                 "many headers": start + b"".join(b"X-%d: 1\r\n" % n for n in range(60)) + b"\r\n",
                 "no end": start + b"X: y\r\n" * 3000}
        for what, data in cases.items():
            with self.subTest(what):
                client = self.client(self.server)
                client.send(data)
                answer = client.http.response()
                self.assertEqual((answer.status, answer.get("connection")), (431, "close"))
        client = self.client(self.server)
        client.send(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertIn(client.http.response().status, (414, 431))
        self.assertEqual(self.app.requests, [])

    def test_a_head_just_within_the_limits_passes(self):
        client = self.client(self.server)
        answer = client.request("GET / HTTP/1.1\nHost: app.localhost\nX-A: " + "a" * 7900)
        self.assertEqual(answer.status, 200)
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: 1\r\n" % n for n in range(45)) + b"\r\n")
        self.assertEqual(client.http.response().status, 200)

    def test_what_is_unusual_but_clear_passes(self):
        for data in (b"GET / HTTP/1.1\r\nhOsT: app.localhost\r\n\r\n",
                     b"GET https://app.localhost/ HTTP/1.1\r\n" + HOST + b"\r\n",
                     b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
                     b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
                     b"GET / HTTP/1.1\r\n" + HOST + b"X-A:\t \r\nX-B:none\r\n\r\n",
                     post(b"Content-Length: 005", body=b"12345"),
                     post(b"Transfer-Encoding: Chunked", body=b"5\r\n12345\r\n000\r\n\r\n"),
                     b"PATCH /pot HTTP/1.1\r\n" + HOST + b"\r\n",
                     request_bytes("GET /%20a?b=c&d=%C3%BC HTTP/1.1\nHost: app.localhost")):
            with self.subTest(data[:60]):
                client = self.client(self.server)
                client.send(data)
                self.assertEqual(client.http.response("OPTIONS").status, 200)


if __name__ == "__main__":
    harness.main()
