"""Replicas that share a tickets.secret_file: what one of them let in resumes at another, as far as that one would let
it in itself."""

import harness
from clients import poll_until, s_client
from harness import E2ETest, host, http_config

DURATION = "portcullis_handshake_duration_seconds_count"
REFUSED = "portcullis_resumptions_refused_total"
HITS = "portcullis_verdict_cache_hits_total"
MISSES = "portcullis_verdict_cache_misses_total"
VERSIONS = ("1.2", "1.3")


class Replicas(E2ETest):

    def setUp(self):
        super().setUp()
        self.app = self.http_backend()
        self.secret = self.secret_file("tickets.key", b"one secret for every replica of the service")

    def secret_file(self, name, secret):
        path = self.dir / name
        path.touch(mode=0o600)
        path.write_bytes(secret)
        return path

    def config(self, secret=None, policy=None, **top):
        config = http_config(self.pki, self.app.address, tickets={"secret_file": str(secret or self.secret)}, **top)
        config["listeners"][0]["hosts"].append("b.localhost")
        config["virtual_hosts"].append(host(self.pki, ["b.localhost"]))
        if policy:
            config["virtual_hosts"][0]["client_auth"]["policy"] = policy
        return config

    def visit(self, server, version, *session, sni="app.localhost"):
        request = f"GET /headers HTTP/1.1\r\nHost: {sni}\r\nConnection: close\r\n\r\n".encode()
        return s_client(server.port, *session, sni=sni, version=version, request=request, cert=self.pki.client,
                        timeout=20 * harness.SLOW)

    def status(self, answer):
        return answer.body.split(" ")[1] if answer.body else answer.output[-1500:]

    def first_visit(self, server, version):
        path = self.dir / f"session{version}"
        path.unlink(missing_ok=True)
        first = self.visit(server, version, "-sess_out", path)
        self.assertEqual((first.reused, self.status(first)), (False, "200"))
        self.assertTrue(path.exists(), "a session was given")
        return path

    def expect_resumed(self, server, version, path):
        again = self.visit(server, version, "-sess_in", path)
        self.assertEqual((again.reused, self.status(again)), (True, "200"))
        self.assertIn(self.pki.client.subject(), again.body, "who it was is remembered")

    def expect_afresh(self, server, version, path, status="200", **more):
        again = self.visit(server, version, "-sess_in", path, **more)
        self.assertEqual((again.reused, self.status(again)), (False, status))

    def expect_refused_for(self, server, before, reasons):
        """Since `before` resumptions were refused so many times for these reasons, and none took place."""
        total = sum(reasons.values())
        poll_until(lambda: server.metrics().sum(REFUSED) - before.sum(REFUSED) >= total, f"{total} refused")
        moved = server.metrics().moved(before, REFUSED)
        self.assertEqual({dict(labels)["reason"]: count for (_, labels), count in moved.items()}, reasons)
        self.assertEqual({dict(labels)["listener"] for _, labels in moved}, {"main"} if reasons else set())
        self.assertEqual(server.metrics().sum(DURATION, resumed="true"), 0)

    def test_a_session_of_one_resumes_at_the_other_and_back(self):
        one, other = self.serve(self.config()), self.serve(self.config())
        for version in VERSIONS:
            with self.subTest(version=version):
                for here, there in ((one, other), (other, one)):
                    path = self.first_visit(here, version)
                    for _ in range(3):  # either worker
                        self.expect_resumed(there, version, path)
                    self.expect_resumed(here, version, path)
        for server in (one, other):
            poll_until(lambda server=server: server.metrics().sum(DURATION, resumed="true", result="ok") == 8,
                       "8 resumed")
            self.assertEqual(server.metrics().sum(REFUSED), 0)
            lines = server.wait_log(10)
            self.assertEqual({line["client_sha256"] for line in lines}, {self.pki.client.sha256()})

    def test_a_session_that_went_on_at_the_other_comes_back(self):
        one, other = self.serve(self.config()), self.serve(self.config())
        path = self.first_visit(one, "1.3")
        for server in (other, one, other, one):
            again = self.visit(server, "1.3", "-sess_in", path, "-sess_out", path)  # a new ticket each time
            self.assertEqual((again.reused, self.status(again)), (True, "200"))

    def test_another_host_of_the_other_does_not_know_it(self):
        one, other = self.serve(self.config()), self.serve(self.config())
        before = other.metrics()
        for version in VERSIONS:
            with self.subTest(version=version):
                self.expect_afresh(other, version, self.first_visit(one, version), sni="b.localhost")
        self.expect_refused_for(other, before, {})  # a ticket that does not open is nobody's

    def test_whom_the_other_knows_as_revoked_does_not_resume_there(self):
        trusts = [{"name": "clients", "ca": [str(self.pki.ca.crt)],
                   "crl": [str(self.pki.ca.crl(self.dir / "ca.crl", [self.pki.client]))]}]
        one, other = self.serve(self.config()), self.serve(self.config(trusts=trusts))
        before = other.metrics()
        for version in VERSIONS:
            with self.subTest(version=version):
                path = self.first_visit(one, version)
                self.expect_afresh(other, version, path, status="400")
                self.expect_resumed(one, version, path)
        self.expect_refused_for(other, before, {"revoked": 2})
        self.assertEqual(len(other.wait_log(2, reason="revoked", resumed=False)), 2)

    def test_whom_the_others_policy_denies_does_not_resume_there(self):
        deny = {"deny": [{"name": "not-you", "common_name": "client"}]}
        one, other = self.serve(self.config()), self.serve(self.config(policy=deny))
        before = other.metrics()
        for version in VERSIONS:
            with self.subTest(version=version):
                path = self.first_visit(one, version)
                self.expect_afresh(other, version, path, status="403")
                self.expect_resumed(one, version, path)
        self.expect_refused_for(other, before, {"policy_denied": 2})

    def test_another_secret_opens_nothing(self):
        stranger = self.secret_file("other.key", b"another secret, of a service that is not this")
        one, other = self.serve(self.config()), self.serve(self.config(secret=stranger))
        before = other.metrics()
        for version in VERSIONS:
            with self.subTest(version=version):
                self.expect_afresh(other, version, self.first_visit(one, version))
        self.expect_refused_for(other, before, {})

    def test_sessions_outlive_a_restart_with_the_same_file(self):
        first = self.serve(self.config())
        paths = {version: self.first_visit(first, version) for version in VERSIONS}
        self.assertEqual(first.stop(), 0)
        second = self.serve(self.config())
        for version, path in paths.items():
            with self.subTest(version=version):
                self.expect_resumed(second, version, path)
        poll_until(lambda: second.metrics().sum(DURATION, resumed="true", result="ok") == 2, "2 resumed")
        self.assertEqual(second.metrics().sum(DURATION, resumed="false"), 0)

    def test_whoever_comes_again_without_a_session_is_known_to_the_verdict_cache(self):
        server = self.serve(self.config(workers=1))  # each has a cache of its own

        def counted():
            metrics = server.metrics()
            return metrics.sum(MISSES), metrics.sum(HITS)

        for number, version in enumerate((*VERSIONS, *VERSIONS)):
            answer = self.visit(server, version)
            self.assertEqual((answer.reused, self.status(answer)), (False, "200"))
            poll_until(lambda hits=number: counted() == (1, hits), lambda: f"one miss, then hits: {counted()}")
        path = self.first_visit(server, "1.3")
        self.expect_resumed(server, "1.3", path)  # asks the cache for nothing
        self.first_visit(server, "1.2")
        poll_until(lambda: counted() == (1, 5), lambda: f"a hit more: {counted()}")


if __name__ == "__main__":
    harness.main()
