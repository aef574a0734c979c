"""TCP mode: any protocol passes, in both directions and both orders of speaking and of closing."""

import socket
import threading

import harness
from backends import tcp_echo
from clients import Closed, poll_until, tls_context
from harness import E2ETest, host, tcp_config

VERSIONS = ("1.2", "1.3")


class Tcp(E2ETest):

    def start(self, serve, **top):
        self.app = self.backend(serve)
        self.server = self.serve(tcp_config(self.pki, self.app.address, **top))

    def test_bytes_of_any_size_are_echoed(self):
        self.start(tcp_echo)
        for version in VERSIONS:
            client = self.client(self.server, version=version)
            for size in (1, 2, 1000, 16_384, 16_385, 100_000):
                data = bytes(size % 251 for _ in range(size))
                client.send(data)
                self.assertEqual(client.recv_exactly(size), data)

    def test_the_server_may_speak_first(self):
        def banner(connection):
            connection.send(b"220 ready\r\n")
            connection.send(b"you said: " + connection.recv())
        self.start(banner)
        for version in VERSIONS:
            client = self.client(self.server, version=version)
            self.assertEqual(client.recv_exactly(11), b"220 ready\r\n")
            client.send(b"HELO")
            self.assertEqual(client.recv_exactly(14), b"you said: HELO")
            self.assertEqual(client.wait_end(), "close_notify")

    def test_a_client_that_ends_its_half_still_hears_the_answer(self):
        def after_eof(connection):
            data = b"".join(iter(connection.recv, b""))
            connection.send(b"got %d" % len(data))
        self.start(after_eof)
        for version in VERSIONS:
            with self.subTest(version=version):
                client = self.client(self.server, version=version)
                client.send(b"x" * 200_000)
                client.send_close_notify()
                self.assertEqual(client.recv_all(), b"got 200000")
                self.assertEqual(client.ended, "close_notify")

    def test_a_client_that_ends_without_close_notify_leaves_nothing_behind(self):
        """FIN alone is a truncation in TLS: the backend's connection ends, and the log says whose doing it was."""
        ended = threading.Event()

        def until_end(connection):
            try:
                while connection.recv():
                    pass
            except OSError:
                pass
            ended.set()
        self.start(until_end)
        client = self.client(self.server)
        client.send(b"x" * 1000)
        client.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(ended.wait(20 * harness.SLOW))
        client.wait_end()
        self.assertTrue(self.server.wait_log(event="connection")[0]["close"].startswith("client"))

    def test_a_backend_that_ends_its_half_still_hears_the_client(self):
        heard = []

        def finishes_first(connection):
            connection.send(b"over")
            connection.finish()
            heard.append(b"".join(iter(connection.recv, b"")))
        self.start(finishes_first)
        for version in VERSIONS:
            with self.subTest(version=version):
                heard.clear()
                client = self.client(self.server, version=version)
                self.assertEqual(client.recv_all(), b"over")
                self.assertEqual(client.ended, "close_notify")
                for _ in range(20):
                    client.send(b"y" * 10_000)
                client.send_close_notify()
                poll_until(lambda: heard, "the backend's end of input")
                self.assertEqual(heard, [b"y" * 200_000])

    def test_a_backend_that_resets_is_no_clean_end(self):
        go = threading.Event()

        def reset(connection):
            connection.send(b"part")
            go.wait(20)
            connection.reset()
        self.start(reset)
        client = self.client(self.server)
        self.assertEqual(client.recv_exactly(4), b"part")
        go.set()
        self.assertIn(client.wait_end(), ("eof", "reset"))

    def test_a_client_that_resets_ends_the_backend_s_connection(self):
        ended = threading.Event()

        def until_end(connection):
            try:
                while connection.recv():
                    pass
            except OSError:
                pass
            ended.set()
        self.start(until_end)
        client = self.client(self.server)
        client.send(b"x")
        poll_until(lambda: self.app.connections, "the backend reached")
        client.abort()
        self.assertTrue(ended.wait(20 * harness.SLOW))

    def test_without_a_backend_the_connection_ends(self):
        server = self.serve(tcp_config(self.pki, f"unix:{self.dir}/nobody"))
        client = self.client(server)
        self.assertIn(client.wait_end(), ("close_notify", "eof", "reset"))
        line = server.wait_log(event="connection")[0]
        self.assertIn("backend", line["close"])

    def test_refusals_are_alerts_and_no_byte_reaches_the_backend(self):
        self.start(tcp_echo)
        for cert, words in ((None, "CERTIFICATE_REQUIRED"), (self.pki.expired, "CERTIFICATE_EXPIRED"),
                            (self.pki.stranger, "UNKNOWN_CA")):
            client = self.client(self.server, cert=cert, version="1.3")
            try:
                client.send(b"early data")
                client.recv()
                self.fail("served")
            except Closed as end:
                self.assertIn(words, end.how)
        self.assertEqual(self.app.connections, [])

    def test_names_choose_the_backend_and_the_certificate(self):
        """Exact names and wildcards; RSA for who cannot verify ECDSA."""
        apps = {name: self.backend(lambda c, n=name: c.send(n.encode())) for name in ("exact", "wild")}
        config = tcp_config(self.pki, "127.0.0.1:1")
        config["backends"] = [{"name": name, "targets": [app.address]} for name, app in apps.items()]
        config["virtual_hosts"] = [
            host(self.pki, ["app.localhost"], refusal="alert", backend="exact"),
            host(self.pki, ["*.wild.localhost"], refusal="alert", backend="wild", server=self.pki.server_next)]
        config["virtual_hosts"][0]["certificates"].append(
            {"certificate": str(self.pki.server_rsa.crt), "key": str(self.pki.server_rsa.key)})
        config["listeners"][0]["hosts"] = ["app.localhost", "*.wild.localhost"]
        server = self.serve(config)
        for sni, answer, cert in (("app.localhost", b"exact", self.pki.server),
                                  ("x.wild.localhost", b"wild", self.pki.server_next),
                                  ("X.Wild.Localhost", b"wild", self.pki.server_next)):
            client = self.client(server, sni=sni)
            self.assertEqual(client.tls.getpeercert(True), cert.der(), sni)
            self.assertEqual(client.recv_all(), answer)
        old = tls_context(self.pki.client, self.pki.ca.crt, "1.2")
        old.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
        client = self.client(server, context=old)
        self.assertEqual(client.tls.getpeercert(True), self.pki.server_rsa.der())
        self.assertEqual(client.recv_all(), b"exact")


if __name__ == "__main__":
    harness.main()
