"""Several backends, dead ones, silent ones and those which change their mind."""

import socket
import threading

import harness
from backends import respond
from clients import poll_until, request_bytes
from harness import E2ETest, http_config

GET = "GET {} HTTP/1.1\nHost: app.localhost"


def page(title):
    return (f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
            "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n").encode()


def dead_address():
    """A port where nothing listens (bound without listening, so that nobody else takes it)."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    return taken, f"127.0.0.1:{taken.getsockname()[1]}"


class Targets(E2ETest):

    def expect_page(self, answer, status, title):
        self.assertEqual((answer.status, answer.body), (status, page(title)))
        self.assertEqual(answer.get("content-type"), "text/html")

    def ask(self, server, path="/"):
        with self.client(server) as client:
            return client.request(GET.format(path))

    def test_requests_go_round_the_targets(self):
        apps = [self.http_backend(name=f"app{n}") for n in range(3)]
        server = self.serve(http_config(self.pki, *(app.address for app in apps), workers=1))
        client = self.client(server)
        names = [client.request(GET.format("/")).body.decode() for _ in range(30)]
        self.assertEqual({name: names.count(name) for name in names}, {"app0": 10, "app1": 10, "app2": 10})

    def test_a_dead_target_is_passed_over(self):
        taken, dead = dead_address()
        self.addCleanup(taken.close)
        app = self.http_backend(name="alive")
        server = self.serve(http_config(self.pki, dead, app.address, workers=1))
        for _ in range(6):
            self.assertEqual(self.ask(server).body, b"alive")
        refused = server.metrics().sum("portcullis_backend_connects_total", backend="app", result="refused")
        self.assertGreaterEqual(refused, 1)

    def test_a_request_with_a_body_is_passed_on_too_when_a_target_is_dead(self):
        taken, dead = dead_address()
        self.addCleanup(taken.close)
        app = self.http_backend()
        server = self.serve(http_config(self.pki, dead, app.address, workers=1))
        for _ in range(4):
            with self.client(server) as client:
                client.send(request_bytes("POST /echo HTTP/1.1\nHost: app.localhost\nContent-Length: 300000"))
                client.send(b"b" * 300_000)
                self.assertEqual(client.http.response("POST").body, b"b" * 300_000)

    def test_all_dead_is_502(self):
        (one, first), (two, second) = dead_address(), dead_address()
        self.addCleanup(one.close)
        self.addCleanup(two.close)
        server = self.serve(http_config(self.pki, first, second, f"unix:{self.dir}/nobody.sock"))
        for _ in range(3):
            self.expect_page(self.ask(server), 502, "502 Bad Gateway")
        client = self.client(server)
        client.send(request_bytes("POST / HTTP/1.1\nHost: app.localhost\nContent-Length: 5") + b"12345")
        self.expect_page(client.http.response("POST"), 502, "502 Bad Gateway")
        head = self.client(server)
        head.send(request_bytes("HEAD / HTTP/1.1\nHost: app.localhost"))
        self.assertEqual(head.http.response("HEAD").status, 502)
        self.assertEqual(server.metrics().sum("portcullis_http_requests_total", code="5xx"), 5)

    def test_a_target_that_takes_no_connection_in_time_is_passed_over(self):
        """A listener whose queue is full: connects to it hang."""
        full = socket.socket()
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = []
        self.addCleanup(lambda: [s.close() for s in [full, *held]])
        for _ in range(4):
            held.append(socket.socket())
            held[-1].setblocking(False)
            held[-1].connect_ex(full.getsockname())
        app = self.http_backend(name="alive")
        config = http_config(self.pki, "127.0.0.1:%d" % full.getsockname()[1], app.address, workers=1)
        config["backends"][0]["connect_timeout"] = "300ms"
        server = self.serve(config)
        for _ in range(4):
            self.assertEqual(self.ask(server).body, b"alive")
        self.assertGreaterEqual(server.metrics().sum("portcullis_backend_connects_total", result="timeout"), 1)

    def test_a_silent_backend_is_504(self):
        release = threading.Event()
        self.addCleanup(release.set)
        app = self.http_backend({"/silent": lambda c, r: release.wait(30)})
        server = self.serve(http_config(self.pki, app.address, timeouts={"response": "300ms"}))
        self.expect_page(self.ask(server, "/silent"), 504, "504 Gateway Time-out")
        self.assertEqual(self.ask(server).status, 200)

    def test_a_slow_backend_that_keeps_sending_is_waited_for(self):
        pause = threading.Event()

        def drip(connection, _request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in range(10):
                pause.wait(0.15)
                connection.send(b"d")
        app = self.http_backend({"/drip": drip})
        server = self.serve(http_config(self.pki, app.address, timeouts={"response": "1s"}))
        self.assertEqual(self.ask(server, "/drip").body, b"d" * 10)

    def test_a_unix_socket_is_a_target(self):
        app = self.http_backend(path=self.dir / "app.sock", name="by socket")
        server = self.serve(http_config(self.pki, app.address))
        self.assertEqual(self.ask(server).body, b"by socket")
        self.assertEqual(server.wait_log(event="connection")[0]["backend"], app.address)

    def test_a_backend_that_answers_nonsense_is_502(self):
        nonsense = {"/text": b"hello\r\n\r\n", "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                    b"Content-Length: 2\r\n\r\nab", "/both": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "/close": b"",
                    "/huge-head": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 3_000_000 + b"\r\n\r\n"}
        app = self.http_backend({path: (lambda data: lambda c, r: (c.send(data), False)[1])(data)
                                 for path, data in nonsense.items()})
        server = self.serve(http_config(self.pki, app.address))
        for path in nonsense:
            with self.subTest(path):
                self.expect_page(self.ask(server, path), 502, "502 Bad Gateway")


class KeepAlive(E2ETest):
    """The race every pool runs: the backend closes a kept connection just as the next request goes out on it."""

    def start(self):
        """A backend which serves one request a connection, then closes upon the second without a word."""
        self.seen = []

        def once(connection):
            for number in range(2):
                request = connection.http.head()
                if request is None:
                    return
                request.body = b"".join(connection.http.body(request))
                self.seen.append(request.start)
                if number == 0:
                    respond(connection, 200, request.start.encode())
        self.app = self.backend(once)
        self.server = self.serve(http_config(self.pki, self.app.address, workers=1))
        return self.client(self.server)

    def test_an_idempotent_request_is_sent_again(self):
        client = self.start()
        for number in range(10):
            answer = client.request(GET.format(f"/{number}"))
            self.assertEqual((answer.status, answer.body), (200, f"GET /{number} HTTP/1.1".encode()))

    def test_a_request_that_may_have_acted_is_never_sent_twice(self):
        client = self.start()
        self.assertEqual(client.request(GET.format("/first")).status, 200)
        client.send(request_bytes("POST /act HTTP/1.1\nHost: app.localhost\nContent-Length: 3") + b"pay")
        self.assertEqual(client.http.response("POST").status, 502)
        self.assertEqual(self.seen.count("POST /act HTTP/1.1"), 1)

    def test_a_connection_closed_while_idle_is_not_used_again(self):
        """The close arrived long before the next request: even one that acts goes out on a fresh connection."""
        noticed = threading.Semaphore(0)

        def single(connection):
            request = connection.http.head()
            if request is not None:
                request.body = b"".join(connection.http.body(request))
                respond(connection, 200, request.body)
                connection.finish()
                while connection.recv():
                    pass
                noticed.release()  # the server has closed its side too
        app = self.backend(single)
        server = self.serve(http_config(self.pki, app.address, workers=1))
        client = self.client(server)
        for number in range(5):
            client.send(request_bytes("POST /act HTTP/1.1\nHost: app.localhost\nContent-Length: 1") + b"%d" % number)
            self.assertEqual(client.http.response("POST").body, b"%d" % number)
            self.assertTrue(noticed.acquire(timeout=20 * harness.SLOW))
        self.assertEqual(len(app.connections), 5)

    def test_bytes_after_a_response_spoil_the_connection_not_the_next_answer(self):
        def chatty(connection, _request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine" +
                            b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen")
        app = self.http_backend({"/chatty": chatty})
        server = self.serve(http_config(self.pki, app.address, workers=1))
        client = self.client(server)
        self.assertEqual(client.request(GET.format("/chatty")).body, b"mine")
        self.assertEqual(client.request(GET.format("/")).body, b"backend")

    def test_idle_backend_connections_are_given_up_in_time(self):
        app = self.http_backend()
        config = http_config(self.pki, app.address)
        config["backends"][0]["keepalive_timeout"] = "200ms"
        server = self.serve(config)
        with self.client(server) as client:
            self.assertEqual(client.request(GET.format("/")).status, 200)
            poll_until(lambda: server.metrics().sum("portcullis_backend_idle_connections") == 0, "none kept")


if __name__ == "__main__":
    harness.main()
