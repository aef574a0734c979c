"""A thousand mutual handshakes and a thousand requests in flight at once; and two workers at work."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import harness
from backends import respond
from clients import poll_until, request_bytes, tls_context
from harness import SANITIZER, E2ETest, http_config, tcp_config

CLIENTS = 200 if SANITIZER else 1000
ACTIVE = "portcullis_active_connections"


class Concurrency(E2ETest):
    drain = "10s"

    def connect_all(self, server, count=CLIENTS):
        """Opens `count` connections, 32 handshakes at a time, and leaves them open."""
        context = tls_context(self.pki.client, self.pki.ca.crt)
        with ThreadPoolExecutor(32) as pool:
            return list(pool.map(lambda _: self.client(server, context=context, timeout=60 * harness.SLOW),
                                 range(count)))

    def expect_all_workers(self, server, total):
        """Every connection is in the log, and both workers had a fair part of them."""
        lines = server.wait_log(total, event="connection")
        self.assertEqual(len(lines), total)
        by_worker = [sum(line["worker"] == worker for line in lines) for worker in (0, 1)]
        self.assertEqual(sum(by_worker), total)
        self.assertGreater(min(by_worker), total * 0.2, by_worker)

    def test_a_thousand_requests_are_in_flight_at_once(self):
        """The backend answers nobody until everybody has asked."""
        arrived, lock, all_here = [0], threading.Lock(), threading.Event()

        def wait_for_all(connection, request):
            with lock:
                arrived[0] += 1
                if arrived[0] == CLIENTS:
                    all_here.set()
            if all_here.wait(100):
                respond(connection, 200, request.target.encode())
        app = self.http_backend({"/all": wait_for_all}, backlog=4096)
        server = self.serve(http_config(self.pki, app.address, timeouts={"response": "100s", "request_head": "60s"}))
        clients = self.connect_all(server)
        poll_until(lambda: server.metrics().sum(ACTIVE) == CLIENTS, "all connected")
        for number, client in enumerate(clients):
            client.send(request_bytes(f"GET /all?{number} HTTP/1.1\nHost: app.localhost"))
        for number, client in enumerate(clients):
            self.assertEqual(client.http.response().body, b"/all?%d" % number)
        self.assertEqual(server.metrics().sum(ACTIVE), CLIENTS)
        for client in clients:
            client.close()
        poll_until(lambda: server.metrics().sum(ACTIVE) == 0, "all gone")
        metrics = server.metrics()
        self.assertEqual(metrics.sum("portcullis_handshake_duration_seconds_count", result="ok"), CLIENTS)
        self.assertEqual(metrics.sum("portcullis_handshake_rejections_total"), 0)
        self.expect_all_workers(server, CLIENTS)

    def test_tcp_connections_interleave_without_mixing(self):
        def tag(connection):
            name = connection.recv(8)
            connection.send(b"ok")
            for data in iter(connection.recv, b""):
                connection.send(name + data)
        app = self.backend(tag, backlog=4096)
        server = self.serve(tcp_config(self.pki, app.address))
        count = CLIENTS // 4
        clients = self.connect_all(server, count)
        names = [b"%08d" % number for number in range(count)]
        for client, name in zip(clients, names):
            client.send(name)
        for client in clients:
            self.assertEqual(client.recv_exactly(2), b"ok")
        for round_number in range(3):
            for client in clients:
                client.send(b"round %d" % round_number)
            for client, name in zip(clients, names):
                self.assertEqual(client.recv_exactly(15), name + b"round %d" % round_number)
        for client in clients:
            client.close()
        self.expect_all_workers(server, count)

    def test_connections_over_the_limit_wait_or_are_refused_and_the_rest_is_served(self):
        app = self.http_backend()
        server = self.serve(http_config(self.pki, app.address, limits={"max_connections": 64}))
        held = self.connect_all(server, 40)
        extra = []
        for _ in range(80):
            extra.append(socket.create_connection(("127.0.0.1", server.port)))
        self.assertLessEqual(server.metrics().sum(ACTIVE), 64)
        for client in held:
            self.assertEqual(client.request("GET / HTTP/1.1\nHost: app.localhost").status, 200)
        for raw in extra:
            raw.close()
        poll_until(lambda: server.metrics().sum(ACTIVE) == 40, "the surplus gone")
        with self.client(server) as late:
            self.assertEqual(late.request("GET / HTTP/1.1\nHost: app.localhost").status, 200)


if __name__ == "__main__":
    harness.raise_descriptor_limit()
    harness.main()
