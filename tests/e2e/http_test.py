"""HTTP/1.1 through the terminator: what a client and a backend may expect of the messages between them."""

import threading

import harness
from backends import respond, respond_chunked
from clients import curl, request_bytes
from harness import E2ETest, host, http_config

GET = "GET {} HTTP/1.1\nHost: app.localhost"
PAGE_497 = (b"<html>\r\n"
            b"<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n"
            b"<body>\r\n"
            b"<center><h1>400 Bad Request</h1></center>\r\n"
            b"<center>The plain HTTP request was sent to HTTPS port</center>\r\n"
            b"<hr><center>nginx</center>\r\n"
            b"</body>\r\n"
            b"</html>\r\n")


class HttpTest(E2ETest):
    routes = {}
    raw = {}

    def setUp(self):
        super().setUp()
        self.app = self.http_backend(self.routes, raw=self.raw)
        self.server = self.serve(http_config(self.pki, self.app.address))


class KeepAlive(HttpTest):

    def test_one_connection_carries_many_requests(self):
        client = self.client(self.server)
        for number in range(20):
            answer = client.request(GET.format(f"/{number}"))
            self.assertEqual((answer.status, answer.body), (200, b"backend"))
            self.assertNotEqual(answer.get("connection", "").lower(), "close")
        self.assertEqual([r.target for r in self.app.requests], [f"/{n}" for n in range(20)])
        self.assertEqual(len(self.app.connections), 1, "the backend connection is kept too")

    def test_connection_close_is_honoured_with_a_clean_end(self):
        client = self.client(self.server)
        answer = client.request(GET.format("/") + "\nConnection: close")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.get("connection", "").lower(), "close")
        self.assertEqual(client.wait_end(), "close_notify")

    def test_pipelined_requests_are_answered_in_order(self):
        client = self.client(self.server)
        bodies = [b"", b"one", b"x" * 100_000, b"last"]
        client.send(b"".join(request_bytes(f"POST /echo?{n} HTTP/1.1\nHost: app.localhost\nContent-Length: {len(body)}")
                             + body for n, body in enumerate(bodies)))
        for body in bodies:
            self.assertEqual(client.http.response("POST").body, body)
        self.assertEqual([r.target for r in self.app.requests], [f"/echo?{n}" for n in range(4)])

    def test_a_request_in_single_bytes_is_a_request(self):
        client = self.client(self.server)
        for byte in request_bytes("POST /echo HTTP/1.1\nHost: app.localhost\nTransfer-Encoding: chunked"):
            client.send(bytes([byte]))
        for byte in b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n":
            client.send(bytes([byte]))
        self.assertEqual(client.http.response("POST").body, b"abcde")


class Bodies(HttpTest):

    @staticmethod
    def chunks(connection, _request):
        respond_chunked(connection, b"first ", b"", b"second ", b"x" * 70_000, headers=[("X-Kind", "chunks")])

    @staticmethod
    def until_close(connection, _request):
        connection.send(b"HTTP/1.1 200 OK\r\nX-Kind: close\r\n\r\n" + b"until the end")
        return False

    @staticmethod
    def trailers(connection, _request):
        respond_chunked(connection, b"body", headers=[("Trailer", "X-Sum")], trailers=b"X-Sum: 42\r\n")

    routes = {"/chunks": chunks, "/close": until_close, "/trailers": trailers,
              "/204": lambda c, r: c.send(b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
              "/304": lambda c, r: c.send(b"HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\nContent-Length: 900\r\n\r\n"),
              "/length": lambda c, r: respond(c, 200, b"" if r.method == "HEAD" else b"z" * 5)}

    def test_chunked_both_ways(self):
        client = self.client(self.server)
        head = request_bytes("PUT /echo HTTP/1.1\nHost: app.localhost\nTransfer-Encoding: chunked")
        body = b"5\r\nhello\r\n" + b"186a0\r\n" + b"y" * 100_000 + b"\r\n0\r\n\r\n"
        client.send(head + body)
        self.assertEqual(client.http.response("PUT").body, b"hello" + b"y" * 100_000)
        answer = client.request(GET.format("/chunks"))
        self.assertEqual(answer.body, b"first second " + b"x" * 70_000)
        self.assertEqual(answer.get("transfer-encoding"), "chunked")
        self.assertIsNone(answer.get("content-length"))

    def test_curl_uploads_a_stream_of_unknown_length(self):
        data = b"stream " * 50_000
        answer = self.curl(self.server, "/echo", "-T", "-", "--http1.1", data=data)
        self.assertEqual((answer.status, answer.body), (200, data))
        self.assertEqual(self.app.requests[0].get("transfer-encoding"), "chunked")

    def test_request_and_response_trailers_pass(self):
        client = self.client(self.server)
        client.send(request_bytes("POST /headers HTTP/1.1\nHost: app.localhost\nTransfer-Encoding: chunked\n"
                                  "Trailer: X-Check") + b"1\r\na\r\n0\r\nX-Check: yes\r\n\r\n")
        client.http.response("POST")
        self.assertEqual([(k.lower(), v) for k, v in self.app.requests[0].trailers], [("x-check", "yes")])
        answer = client.request(GET.format("/trailers"))
        self.assertEqual([(k.lower(), v) for k, v in answer.trailers], [("x-sum", "42")])

    def test_a_body_ended_by_close_reaches_clients_of_either_version(self):
        client = self.client(self.server)
        answer = client.request(GET.format("/close"))
        self.assertEqual(answer.body, b"until the end")
        if answer.get("transfer-encoding") == "chunked":
            self.assertEqual(client.request(GET.format("/")).status, 200)
        else:
            self.assertEqual(client.wait_end(), "close_notify")
        old = self.client(self.server)
        old.send(b"GET /close HTTP/1.0\r\nHost: app.localhost\r\n\r\n")
        answer = old.http.response()
        self.assertEqual((answer.body, old.wait_end()), (b"until the end", "close_notify"))

    def test_an_old_client_never_sees_chunks(self):
        client = self.client(self.server)
        client.send(b"GET /chunks HTTP/1.0\r\nHost: app.localhost\r\n\r\n")
        answer = client.http.response()
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.get("transfer-encoding"))
        self.assertEqual(answer.body, b"first second " + b"x" * 70_000)
        self.assertEqual(client.wait_end(), "close_notify")

    def test_an_old_client_may_keep_its_connection(self):
        client = self.client(self.server)
        for _ in range(3):
            client.send(b"GET /length HTTP/1.0\r\nHost: app.localhost\r\nConnection: keep-alive\r\n\r\n")
            answer = client.http.response()
            self.assertEqual(answer.body, b"zzzzz")
            self.assertEqual(answer.get("connection", "").lower(), "keep-alive")

    def test_head_204_and_304_have_no_body_and_keep_the_connection(self):
        client = self.client(self.server)
        for method, path, status in (("HEAD", "/length", 200), ("GET", "/204", 204), ("GET", "/304", 304),
                                     ("HEAD", "/chunks-not-there", 200), ("GET", "/length", 200)):
            with self.subTest(method=method, path=path):
                if path == "/chunks-not-there":
                    self.app.routes[path] = lambda c, r: c.send(
                        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                client.send(request_bytes(f"{method} {path} HTTP/1.1\nHost: app.localhost"))
                answer = client.http.response(method)
                self.assertEqual((answer.status, answer.body), (status, b"zzzzz" if (method, status) == ("GET", 200)
                                                                else b""))
                if status == 204:
                    self.assertIsNone(answer.get("content-length"))
                    self.assertIsNone(answer.get("transfer-encoding"))
                if status == 304:
                    self.assertEqual((answer.get("content-length"), answer.get("etag")), ("900", '"v"'))

    def test_status_lines_and_repeated_headers_pass_unchanged(self):
        self.app.routes["/odd"] = lambda c, r: respond(
            c, 299, b"ok", reason="Very Odd", headers=[("Set-Cookie", "a=1"), ("X-Between", "x"), ("Set-Cookie", "b=2"),
                                                       ("Server", "odd/1")])
        answer = self.client(self.server).request(GET.format("/odd"))
        self.assertEqual(answer.start, "HTTP/1.1 299 Very Odd")
        self.assertEqual(answer.all("set-cookie"), ["a=1", "b=2"])
        self.assertEqual(answer.all("server"), ["odd/1"])


class Interim(HttpTest):

    def test_expect_continue_is_the_backend_s_to_answer(self):
        client = self.client(self.server)
        client.send(request_bytes("POST /echo HTTP/1.1\nHost: app.localhost\nContent-Length: 5\nExpect: 100-continue"))
        interim = client.http.head()
        self.assertEqual(interim.status, 100)
        client.send(b"12345")
        self.assertEqual(client.http.response("POST").body, b"12345")
        answer = self.curl(self.server, "/echo", "-H", "Expect: 100-continue", "--data-binary", "@-", data=b"q" * 2000)
        self.assertEqual((answer.status, answer.body), (200, b"q" * 2000))

    def test_a_refused_expectation_ends_without_the_body(self):
        self.app.raw["/no"] = lambda c, r: (respond(c, 417, b"no", reason="Expectation Failed"), False)[1]
        client = self.client(self.server)
        client.send(request_bytes("POST /no HTTP/1.1\nHost: app.localhost\nContent-Length: 5\nExpect: 100-continue"))
        answer = client.http.response("POST")
        self.assertEqual((answer.status, answer.interim), (417, []))

    def test_early_hints_are_relayed_but_not_to_old_clients(self):
        def hints(connection, _request):
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
            respond(connection, 200, b"after")
        self.app.routes["/hints"] = hints
        answer = self.client(self.server).request(GET.format("/hints"))
        self.assertEqual(([m.status for m in answer.interim], answer.body), ([103], b"after"))
        self.assertEqual(answer.interim[0].get("link"), "</a.css>")
        old = self.client(self.server)
        old.send(b"GET /hints HTTP/1.0\r\nHost: app.localhost\r\n\r\n")
        answer = old.http.response()
        self.assertEqual((answer.interim, answer.body), ([], b"after"))

    def test_an_answer_before_the_body_s_end_reaches_the_client(self):
        self.app.raw["/early"] = lambda c, r: (
            respond(c, 413, b"too much", headers=[("Connection", "close")]), False)[1]
        client = self.client(self.server)
        client.send(request_bytes("POST /early HTTP/1.1\nHost: app.localhost\nContent-Length: 100000000") + b"x" * 1000)
        answer = client.http.response("POST")
        self.assertEqual((answer.status, answer.body), (413, b"too much"))


class Upgrade(HttpTest):

    @staticmethod
    def toy_socket(connection, request):
        """A protocol after the switch: greets, echoes in capitals until the end of input, says goodbye."""
        if request.get("upgrade") != "toy":
            return respond(connection, 400, b"no upgrade")
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: toy\r\nConnection: Upgrade\r\n\r\nhello ")
        while data := connection.http.some():
            connection.send(data.upper())
        connection.send(b" bye")
        return False

    def test_an_upgraded_connection_carries_any_bytes_both_ways(self):
        self.app.raw["/toy"] = self.toy_socket
        client = self.client(self.server)
        client.send(request_bytes("GET /toy HTTP/1.1\nHost: app.localhost\nConnection: Upgrade\nUpgrade: toy"))
        answer = client.http.response()
        self.assertEqual((answer.status, answer.get("upgrade"), answer.get("connection").lower()),
                         (101, "toy", "upgrade"))
        self.assertEqual(b"".join(client.http.exactly(6)), b"hello ")
        for word in (b"abc", b"GET / HTTP/1.1\r\n\r\n", b"\x00\xff" * 40_000):
            client.send(word)
            self.assertEqual(b"".join(client.http.exactly(len(word))), word.upper())
        client.send_close_notify()
        self.assertEqual((b"".join(client.http.exactly(4)), client.wait_end()), (b" bye", "close_notify"))

    def test_a_declined_upgrade_is_an_ordinary_answer(self):
        client = self.client(self.server)
        answer = client.request(GET.format("/headers") + "\nConnection: Upgrade\nUpgrade: toy")
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.app.requests[0].get("upgrade"), "toy")
        self.assertEqual(client.request(GET.format("/")).status, 200)

    def test_websocket_headers_reach_the_backend_whole(self):
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        self.client(self.server).request(GET.format("/headers") + "\nConnection: keep-alive, Upgrade\n"
                                         f"Upgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: {key}")
        request = self.app.requests[0]
        self.assertEqual((request.get("sec-websocket-key"), request.get("upgrade")), (key, "websocket"))
        self.assertIn("upgrade", request.get("connection").lower())


class Ports(HttpTest):

    def test_plain_http_on_the_tls_port_gets_nginx_s_497_page(self):
        answer = curl(f"http://127.0.0.1:{self.server.port}/")
        self.assertEqual((answer.status, answer.message.start), (400, "HTTP/1.1 400 Bad Request"))
        self.assertEqual(answer.body, PAGE_497)
        self.assertEqual(answer.message.get("content-length"), "248")
        self.assertEqual(answer.message.get("connection"), "close")
        metrics = self.server.metrics()
        self.assertEqual(metrics.sum("portcullis_handshake_rejections_total", reason="plain_http"), 1)
        self.assertEqual(self.app.connections, [])

    def test_two_clients_at_once_do_not_wait_for_each_other(self):
        first, release = threading.Event(), threading.Event()

        def held(connection, _request):
            first.set()
            release.wait(20)
            respond(connection, 200, b"held")
        self.app.routes["/held"] = held
        slow, quick = self.client(self.server), self.client(self.server)
        slow.send(request_bytes(GET.format("/held")))
        self.assertTrue(first.wait(20))
        self.assertEqual(quick.request(GET.format("/")).body, b"backend")
        release.set()
        self.assertEqual(slow.http.response().body, b"held")


class Hosts(E2ETest):
    """Host against SNI. Three hosts on one listener: a and c with the same policy, b with another trust."""

    def setUp(self):
        super().setUp()
        self.apps = {name: self.http_backend(name=name) for name in "abco"}
        config = http_config(self.pki, self.apps["a"].address)
        config["listeners"][0] |= {"hosts": ["a.localhost", "b.localhost", "c.localhost", "open.localhost"]}
        config["virtual_hosts"] = [host(self.pki, ["a.localhost"], backend="a"),
                                   host(self.pki, ["b.localhost"], backend="b", trust="others"),
                                   host(self.pki, ["c.localhost"], backend="c"),
                                   host(self.pki, ["open.localhost"], backend="o", auth="off")]
        config["trusts"].append({"name": "others", "ca": [str(self.pki.other.crt)]})
        config["backends"] = [{"name": n, "targets": [app.address]} for n, app in self.apps.items()]
        self.server = self.serve(config)

    def ask(self, sni, name, **options):
        client = self.client(self.server, sni=sni, cacert=None, **options)
        return client.request(f"GET / HTTP/1.1\nHost: {name}"), client

    def test_each_name_goes_to_its_own_backend(self):
        for name, cert in (("a", self.pki.client), ("b", self.pki.stranger), ("c", self.pki.client),
                           ("open", None)):
            answer, _ = self.ask(f"{name}.localhost", f"{name}.localhost", cert=cert)
            self.assertEqual((answer.status, answer.body), (200, name[0].encode()))

    def test_a_host_of_another_policy_is_misdirected(self):
        for sni, name, cert in (("a.localhost", "b.localhost", self.pki.client),
                                ("open.localhost", "a.localhost", None),
                                ("open.localhost", "A.LOCALHOST:443", None),
                                ("b.localhost", "a.localhost", self.pki.stranger)):
            with self.subTest(sni=sni, host=name):
                answer, client = self.ask(sni, name, cert=cert)
                self.assertEqual(answer.status, 421)
                self.assertIn(b"<title>421 Misdirected Request</title>", answer.body)
                self.assertEqual(client.wait_end(), "close_notify")
        for app in self.apps.values():
            self.assertEqual(app.requests, [])

    def test_a_host_of_the_same_policy_is_served(self):
        answer, _ = self.ask("a.localhost", "c.localhost")
        self.assertEqual((answer.status, answer.body), (200, b"c"))

    def test_an_unknown_host_gets_no_further_than_the_name_asked_for(self):
        """As nginx serves it from the default server: here the host judged under, whose policy the client passed."""
        answer, _ = self.ask("a.localhost", "unknown.localhost")
        self.assertIn((answer.status, answer.body[:1]), [(200, b"a"), (421, b"<")])
        for name in "bco":
            self.assertEqual(self.apps[name].requests, [])


if __name__ == "__main__":
    harness.main()
