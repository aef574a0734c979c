"""Signals: SIGTERM and SIGINT drain within a bound and exit 0; a second one cuts."""

import signal
import socket
import threading
import time

import harness
from backends import respond, tcp_echo
from clients import poll_until, request_bytes
from harness import SLOW, E2ETest, http_config, tcp_config


class Drain(E2ETest):
    drain = "20s"

    def start(self, **top):
        """A backend whose /held answers only when released."""
        self.started, self.release = threading.Event(), threading.Event()
        self.addCleanup(self.release.set)

        def held(connection, _request):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
            self.started.set()
            if self.release.wait(60):
                connection.send(b"full")
        app = self.http_backend({"/held": held})
        self.server = self.serve(http_config(self.pki, app.address, **top))

    def hold(self):
        client = self.client(self.server)
        client.send(request_bytes("GET /held HTTP/1.1\nHost: app.localhost"))
        self.assertTrue(self.started.wait(20))
        return client

    def wait_exit(self, timeout):
        self.server.stopped = True
        began = time.monotonic()
        self.assertEqual(self.server.process.wait(timeout * SLOW), 0)
        return time.monotonic() - began

    def refused(self):
        try:
            socket.create_connection(("127.0.0.1", self.server.port), 5).close()
            return False
        except ConnectionResetError:
            return False  # it was waiting to be accepted when the listener closed
        except ConnectionRefusedError:
            return True

    def finish_what_runs(self, number):
        self.start()
        busy, idle = self.hold(), self.client(self.server)
        self.assertEqual(idle.request("GET / HTTP/1.1\nHost: app.localhost").status, 200)
        self.server.send_signal(number)
        poll_until(self.refused, "new connections refused")
        self.assertEqual(idle.wait_end(), "close_notify", "idle connections end at once, cleanly")
        self.assertIsNone(self.server.process.poll(), "still draining")
        self.assertEqual(self.server.admin_get("/readyz")[0], 503)
        self.assertEqual(self.server.admin_get("/healthz")[0], 200)
        self.release.set()
        self.assertEqual(busy.http.response().body, b"halffull")
        self.assertEqual(busy.wait_end(), "close_notify")
        self.assertLess(self.wait_exit(10), 5 * SLOW)

    def test_sigterm_finishes_what_runs_and_takes_nothing_new(self):
        self.finish_what_runs(signal.SIGTERM)

    def test_sigint_does_the_same(self):
        self.finish_what_runs(signal.SIGINT)

    def test_an_idle_server_exits_at_once(self):
        self.start()
        self.server.send_signal(signal.SIGTERM)
        self.assertLess(self.wait_exit(10), 3 * SLOW)

    def test_what_does_not_finish_is_cut_at_the_bound(self):
        self.start(timeouts={"drain": "1s"})
        client = self.hold()
        began = time.monotonic()
        self.server.send_signal(signal.SIGTERM)
        self.wait_exit(15)
        took = time.monotonic() - began
        self.assertGreater(took, 0.9)
        self.assertLess(took, 1 + 5 * SLOW)
        client.recv_all()
        self.assertIn(client.ended, ("eof", "reset"), "a cut response is no clean end")

    def test_a_second_signal_cuts(self):
        self.start(timeouts={"drain": "60s"})
        self.hold()
        self.server.send_signal(signal.SIGTERM)
        poll_until(self.refused, "draining")
        self.server.send_signal(signal.SIGTERM)
        self.assertLess(self.wait_exit(10), 5 * SLOW)

    def test_handshakes_under_way_do_not_hold_up_the_exit(self):
        self.start(timeouts={"drain": "2s", "handshake": "60s"})
        self.client(self.server, handshake=False)
        poll_until(lambda: self.server.metrics().sum("portcullis_handshakes_in_progress") == 1, "in the handshake")
        self.server.send_signal(signal.SIGTERM)
        self.assertLess(self.wait_exit(15), 2 + 5 * SLOW)

    def test_connections_open_at_the_end_are_still_logged(self):
        self.start(timeouts={"drain": "200ms"})
        self.hold()
        self.server.send_signal(signal.SIGTERM)
        self.wait_exit(15)
        (line,) = self.server.log(event="connection")
        self.assertTrue(line["close"].startswith("drain"), line)

    def test_tcp_relays_run_on_until_the_bound(self):
        app = self.backend(tcp_echo)
        self.server = self.serve(tcp_config(self.pki, app.address, timeouts={"drain": "30s"}))
        client = self.client(self.server)
        client.send(b"before")
        self.assertEqual(client.recv_exactly(6), b"before")
        self.server.send_signal(signal.SIGTERM)
        poll_until(self.refused, "draining")
        client.send(b"during")
        self.assertEqual(client.recv_exactly(6), b"during")
        client.send_close_notify()
        self.assertEqual(client.wait_end(), "close_notify")
        self.assertLess(self.wait_exit(10), 5 * SLOW)

    def test_a_response_which_starts_during_the_drain_says_close(self):
        started, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def waits(connection, _request):
            started.set()
            release.wait(60)
            respond(connection, 200, b"late")
        app = self.http_backend({"/waits": waits})
        self.server = self.serve(http_config(self.pki, app.address))
        client = self.client(self.server)
        client.send(request_bytes("GET /waits HTTP/1.1\nHost: app.localhost"))
        self.assertTrue(started.wait(20))
        self.server.send_signal(signal.SIGTERM)
        poll_until(self.refused, "draining")
        release.set()
        answer = client.http.response()
        self.assertEqual((answer.body, answer.get("connection", "").lower()), (b"late", "close"))
        self.wait_exit(10)


if __name__ == "__main__":
    harness.main()
