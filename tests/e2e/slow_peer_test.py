"""Peers that read slowly or not at all: the sender is held back, memory stays where it was, and nothing is lost."""

import socket
import threading
import time

import harness
from backends import Pattern
from clients import Closed, request_bytes
from harness import MIB, SANITIZER, SLOW, E2ETest, http_config, tcp_config

WANTED = 1024 * MIB       # what the eager side would send to each peer
WARM = (4 if SANITIZER else 8) * MIB
PEERS = 4 if SANITIZER else 20
# A pass of the kernel takes up to a quarter MiB of one client that no pause can stop; it is copied, and the copy's
# growth may double it. With what is queued by then that is the better part of a MiB a peer.
RSS_BOUND = 64 * MIB if SANITIZER else 3 * PEERS * MIB // 2
# What the four socket buffers on the way may hold for each peer, at the kernel's largest.
IN_FLIGHT = 40 * MIB


class Meter:
    """Counts bytes from several threads and tells when they stopped moving."""

    def __init__(self):
        self.total = 0
        self._lock = threading.Lock()

    def add(self, count):
        with self._lock:
            self.total += count

    def wait_stalled(self, still=1.0, timeout=60):
        """Returns once the total has not changed for `still` seconds."""
        seen, since = -1, time.monotonic()
        deadline = since + timeout
        while time.monotonic() - since < still:
            if self.total != seen:
                seen, since = self.total, time.monotonic()
            assert time.monotonic() < deadline, "never stalled"
            time.sleep(0.02)
        return self.total


class SlowPeer(E2ETest):

    def warm(self, server):
        """Full-speed transfers both ways, so that every receive buffer of both workers has been touched: what is
        measured is what stalled peers cost on top."""
        for _ in range(8):
            with self.client(server) as client:
                client.send(request_bytes("PUT /warm HTTP/1.1\nHost: app.localhost\nContent-Length: %d" % WARM))
                for piece in Pattern(WARM).pieces():
                    client.send(piece)
                self.check_continuity(client, WARM)
        return server.rss()

    @staticmethod
    def answer_warm(connection, request):
        for _ in connection.http.body(request):
            pass
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % WARM)
        for piece in Pattern(WARM).pieces():
            connection.send(piece)

    def expect_bounded(self, server, base, meter):
        sent = meter.wait_stalled()
        self.assertLess(sent, PEERS * IN_FLIGHT, "the sender was held back")
        self.assertLess(server.rss() - base, RSS_BOUND, f"memory while {PEERS} peers hold up {PEERS} GiB")

    def pour(self, meter):
        def route(connection, _request=None):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % WANTED)
            for piece in Pattern(WANTED).pieces(4):
                connection.send(piece)
                meter.add(len(piece))
        return route

    def check_continuity(self, client, count):
        """The next `count` body bytes are the pattern's from its start."""
        head = client.http.head()
        self.assertEqual(head.status, 200)
        got = b"".join(client.http.exactly(count))
        expected = b"".join(Pattern(count).blocks())
        self.assertTrue(got == expected, "bytes lost or out of order")

    def test_clients_that_stop_reading_hold_the_backend_back(self):
        meter = Meter()
        app = self.http_backend(raw={"/warm": self.answer_warm, "/pour": self.pour(meter)})
        server = self.serve(http_config(self.pki, app.address))
        base = self.warm(server)
        peers = [self.client(server, receive_buffer=65536) for _ in range(PEERS)]
        for peer in peers:
            peer.send(request_bytes("GET /pour HTTP/1.1\nHost: app.localhost"))
        self.expect_bounded(server, base, meter)
        for peer in peers[:3]:
            self.check_continuity(peer, 32 * MIB)
        for peer in peers:
            peer.abort()

    def test_clients_that_read_a_megabyte_a_second_cost_no_memory(self):
        meter = Meter()
        app = self.http_backend(raw={"/warm": self.answer_warm, "/pour": self.pour(meter)})
        server = self.serve(http_config(self.pki, app.address))
        base = self.warm(server)
        peer = self.client(server, receive_buffer=65536)
        peer.send(request_bytes("GET /pour HTTP/1.1\nHost: app.localhost"))
        started, taken, worst = time.monotonic(), 0, 0
        while time.monotonic() - started < 3:
            due = (time.monotonic() - started) * MIB
            if taken < due:
                taken += len(peer.recv(16384))
            else:
                time.sleep(0.005)  # the reader's own pace, which is the point
            worst = max(worst, server.rss() - base)
        self.assertLess(worst, RSS_BOUND)
        self.assertGreater(taken, 2 * MIB)
        self.assertLess(meter.total, IN_FLIGHT + taken)
        peer.abort()

    def test_a_backend_that_stops_reading_holds_the_clients_back(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def stuck(connection, _request):
            release.wait(120)
            return False
        app = self.http_backend(raw={"/warm": self.answer_warm, "/stuck": stuck}, receive_buffer=65536)
        server = self.serve(http_config(self.pki, app.address))
        base = self.warm(server)
        meter = Meter()

        def push(peer):
            peer.send(request_bytes(f"PUT /stuck HTTP/1.1\nHost: app.localhost\nContent-Length: {WANTED}"))
            try:
                for piece in Pattern(WANTED).pieces(4):
                    peer.send(piece)
                    meter.add(len(piece))
            except (OSError, Closed):
                pass  # the end of the test
        peers = [self.client(server, timeout=300) for _ in range(PEERS)]
        threads = [threading.Thread(target=push, args=(peer,), daemon=True) for peer in peers]
        for thread in threads:
            thread.start()
        self.expect_bounded(server, base, meter)
        for peer in peers:
            peer.socket.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(30)
            self.assertFalse(thread.is_alive())

    def test_a_client_that_pipelines_and_does_not_read_is_held_back_and_gets_every_answer(self):
        count = 4_000 if SANITIZER else 20_000
        meter = Meter()

        def page(connection, request):
            meter.add(1)
            body = b"%-10000s" % request.target.encode()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        app = self.http_backend({"*": page}, raw={"/warm": self.answer_warm})
        server = self.serve(http_config(self.pki, app.address))
        base = self.warm(server)
        peer = self.client(server, receive_buffer=4096, timeout=60 * SLOW)
        for i in range(count):
            peer.tls.write(request_bytes(f"GET /{i} HTTP/1.1\nHost: app.localhost"))
        pushing = threading.Thread(target=peer.flush, daemon=True)  # as much as is taken
        pushing.start()
        asked = meter.wait_stalled()
        self.assertLess(asked, count / 4, "no request is begun for a client that does not read")
        self.assertLess(server.rss() - base, RSS_BOUND)
        self.assertLess(server.metrics().sum("portcullis_worker_output_blocks_in_use"), 16)
        for i in range(count):
            self.assertTrue(peer.http.response().body.startswith(b"/%d " % i), f"answer {i}")
        pushing.join(30)
        self.assertFalse(pushing.is_alive())
        if not SANITIZER:  # AddressSanitizer keeps what was freed from being used again for a while
            self.assertLess(server.rss() - base, RSS_BOUND)

    def test_tcp_clients_that_stop_reading_hold_the_backend_back(self):
        meter = Meter()

        def pour(connection):
            request = connection.http.head()
            if request.target == "/warm":
                self.answer_warm(connection, request)
            else:
                self.pour(meter)(connection)
        app = self.backend(pour)
        server = self.serve(tcp_config(self.pki, app.address))
        base = self.warm(server)
        peers = [self.client(server, receive_buffer=65536) for _ in range(PEERS)]
        for peer in peers:
            peer.send(request_bytes("GET /pour HTTP/1.1\nHost: app.localhost"))
        self.expect_bounded(server, base, meter)
        self.check_continuity(peers[0], 32 * MIB)
        for peer in peers:
            peer.abort()

    def test_a_peer_that_never_reads_is_dropped_after_the_write_stall(self):
        meter = Meter()
        app = self.http_backend(raw={"/pour": self.pour(meter)})
        server = self.serve(http_config(self.pki, app.address, timeouts={"write_stall": "500ms", "idle": "60s"}))
        peer = self.client(server, receive_buffer=65536)
        peer.send(request_bytes("GET /pour HTTP/1.1\nHost: app.localhost"))
        line = server.wait_log(event="connection")[0]
        self.assertTrue(line["close"].startswith("stall"), line)
        self.assertLess(line["duration_ms"], 8000 * SLOW)


if __name__ == "__main__":
    harness.main()
