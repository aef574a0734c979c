"""Resumption with real clients: a session resumes where it was made, on either worker, and nowhere else."""

import ssl

import harness
from clients import curl, poll_until, s_client
from harness import E2ETest, host, http_config

DURATION = "portcullis_handshake_duration_seconds_count"
VERSIONS = ("1.2", "1.3")


class Resumption(E2ETest):

    def setUp(self):
        super().setUp()
        self.app = self.http_backend()
        config = http_config(self.pki, self.app.address)
        config["listeners"][0]["hosts"] = ["app.localhost", "b.localhost", "strict.localhost"]
        config["virtual_hosts"] += [host(self.pki, ["b.localhost"]),
                                    host(self.pki, ["strict.localhost"], refusal="alert", trust="others")]
        config["trusts"].append({"name": "others", "ca": [str(self.pki.other.crt)]})
        self.server = self.serve(config)

    def visit(self, version, *session, sni="app.localhost", cert="client"):
        request = f"GET /headers HTTP/1.1\r\nHost: {sni}\r\nConnection: close\r\n\r\n".encode()
        return s_client(self.server.port, *session, sni=sni, version=version, request=request,
                        cert=getattr(self.pki, cert) if cert else None, timeout=20 * harness.SLOW)

    def first_visit(self, version):
        path = self.dir / f"session{version}"
        first = self.visit(version, "-sess_out", path)
        self.assertIn("200", first.body.split("\r\n")[0], first.output[-2000:])
        self.assertFalse(first.reused)
        self.assertTrue(path.exists(), "a session was given")
        return path

    def test_a_session_resumes_on_its_host_again_and_again(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                path = self.first_visit(version)
                before = self.server.metrics()
                for number in range(8):  # either worker: tickets are everybody's
                    again = self.visit(version, "-sess_in", path, "-sess_out", path)
                    self.assertTrue(again.reused, f"visit {number}: {again.output[-1500:]}")
                    self.assertIn('"SUCCESS"', again.body)
                    self.assertIn(self.pki.client.subject(), again.body, "who it was is remembered")
                labels = frozenset({("listener", "main"), ("result", "ok"), ("version", version), ("resumed", "true")})
                poll_until(lambda: self.server.metrics().moved(before).get((DURATION, labels)) == 8, "8 resumed")
        self.assertEqual({line["resumed"] for line in self.server.wait_log(18)}, {True, False})
        resumed = [line for line in self.server.log() if line["resumed"]]
        self.assertEqual(len(resumed), 16)
        self.assertEqual({line["client_sha256"] for line in resumed}, {self.pki.client.sha256()})

    def test_curl_resumes_within_one_run(self):
        base = f"https://app.localhost:{self.server.port}/"
        before = self.server.metrics()
        answer = curl(base + "1", "-H", "Connection: close", base + "2", base + "3", "-o", "/dev/null", "-o",
                      "/dev/null", "--http1.1", cert=self.pki.client, cacert=self.pki.ca.crt)
        self.assertEqual(answer.exit, 0, answer.stderr)
        poll_until(lambda: self.server.metrics().sum(DURATION) == before.sum(DURATION) + 3, "three handshakes")
        self.assertEqual(self.server.metrics().sum(DURATION, resumed="true", result="ok"), 2)

    def test_who_says_nothing_gets_its_ticket_all_the_same(self):
        with self.client(self.server) as client:
            self.assertFalse(client.quiet(20 * harness.SLOW), "the ticket comes on its own")
            session = client.tls.session
            client._fetch()  # pylint: disable=protected-access
            try:
                client.tls.read(1)
            except ssl.SSLWantReadError:
                pass
            self.assertTrue(client.tls.session.has_ticket)
            self.assertNotEqual(client.tls.session, session)

    def test_a_session_of_one_host_is_nothing_to_another(self):
        for version in VERSIONS:
            for sni in ("b.localhost", "strict.localhost"):
                with self.subTest(version=version, sni=sni):
                    path = self.first_visit(version)
                    other = self.visit(version, "-sess_in", path, sni=sni)
                    if sni == "b.localhost":
                        self.assertFalse(other.reused)
                        self.assertIn("200", other.body.split("\r\n")[0])
                    else:
                        self.assertEqual((other.alert, other.body), (48, ""), other.output[-1500:])
        self.assertEqual(self.server.metrics().sum(DURATION, resumed="true"), 0)

    def test_a_refused_client_gets_no_session_that_would_pass(self):
        for version in VERSIONS:
            for cert in ("expired", None):
                with self.subTest(version=version, cert=cert):
                    path = self.dir / f"refused{version}{cert}"
                    refused = self.visit(version, "-sess_out", path, cert=cert)
                    self.assertIn("400", refused.body.split("\r\n")[0])
                    if path.exists():  # TLS 1.2 clients may keep one without a ticket
                        again = self.visit(version, "-sess_in", path, cert=cert)
                        self.assertFalse(again.reused)
                        self.assertIn("400", again.body.split("\r\n")[0])
        self.assertEqual(self.app.requests, [])
        self.assertEqual(self.server.metrics().sum(DURATION, resumed="true"), 0)

    def test_a_resumed_session_keeps_its_identity_whatever_certificate_comes_along(self):
        for version in VERSIONS:
            path = self.first_visit(version)
            again = self.visit(version, "-sess_in", path, cert="client_second")
            if again.reused:
                self.assertIn(self.pki.client.subject(), again.body)
                self.assertNotIn(self.pki.client_second.subject(), again.body)
            else:
                self.assertIn(self.pki.client_second.subject(), again.body)


class TicketsOff(E2ETest):

    def test_hosts_without_tickets_never_resume(self):
        app = self.http_backend()
        server = self.serve(http_config(self.pki, app.address, tls={"tickets": False}))
        request = b"GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n"
        for version in VERSIONS:
            path = self.dir / f"session{version}"
            first = s_client(server.port, "-sess_out", path, cert=self.pki.client, version=version, request=request)
            self.assertIn("200", first.body.split("\r\n")[0])
            if path.exists():
                again = s_client(server.port, "-sess_in", path, cert=self.pki.client, version=version, request=request)
                self.assertFalse(again.reused)


if __name__ == "__main__":
    harness.main()
