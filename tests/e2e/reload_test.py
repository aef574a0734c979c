"""SIGHUP: configuration, certificates, trust and CRLs are reread, all or nothing; the old stays on any error."""

import copy
import json
import shutil
import signal

import harness
from clients import Closed, poll_until, tls_context
from harness import E2ETest, http_config
from pki import Cert

RELOADS = "portcullis_config_reloads_total"
GET = "GET / HTTP/1.1\nHost: app.localhost"


class Reload(E2ETest):

    def start(self, refusal="http", **top):
        """Certificates, trust and CRL are copies which the test may change in place."""
        self.app = self.http_backend(name="old")
        self.files = self.dir / "files"
        self.files.mkdir()
        for name, source in (("tls.crt", self.pki.server.crt), ("tls.key", self.pki.server.key),
                             ("ca.crt", self.pki.ca.crt)):
            shutil.copy(source, self.files / name)
        self.pki.ca.crl(self.files / "ca.crl")
        self.config = http_config(self.pki, self.app.address, refusal=refusal, **top)
        self.config["virtual_hosts"][0]["certificates"] = [{"folder": str(self.files)}]
        self.config["trusts"] = [{"name": "clients", "folder": str(self.files)}]
        self.server = self.serve(copy.deepcopy(self.config))

    def reload(self, result="success"):
        before = self.server.metrics().sum(RELOADS, result=result)
        self.server.send_signal(signal.SIGHUP)
        poll_until(lambda: self.server.metrics().sum(RELOADS, result=result) == before + 1, f"a reload: {result}",
                   10 * harness.SLOW)

    def reload_with(self, result="success", **changed):
        self.server.write_config({**self.config, "timeouts": {"drain": self.drain}, **changed})
        self.reload(result)

    def served(self, **options):
        """(status, the certificate served) of a new connection."""
        with self.client(self.server, **options) as client:
            return client.request(GET).status, client.tls.getpeercert(True)

    def put(self, name, source):
        shutil.copy(source, self.files / (name + ".new"))
        (self.files / (name + ".new")).rename(self.files / name)

    def test_fields_that_only_a_restart_changes_are_named(self):
        self.start()
        self.reload()
        self.assertNotIn("at a restart only", self.server.stderr())
        self.reload_with(workers=1, pin_workers=False, admin={"address": "off"}, log={"rejections_kept": 3},
                         limits={"verdict_cache": 0}, listeners=[{**self.config["listeners"][0], "backlog": 7}])
        poll_until(lambda: "reloaded" in self.server.stderr().splitlines()[-1], "the end of the reload")
        for field, stays in (("workers", 2), ("pin_workers", "true"), ("admin.address", "127.0.0.1:0"),
                             ("log.rejections_kept", 32), ("limits.verdict_cache", 8192),
                             ("backlog of listener 'main'", 4096)):
            self.assertIn(f"{field} changes at a restart only: it stays {stays}", self.server.stderr())
        self.assertEqual(self.served()[0], 200)

    def test_the_connection_log_goes_from_one_file_to_another(self):
        first, second = self.dir / "first.log", self.dir / "second.log"
        self.start(log={"connections": str(first)})
        self.served()
        poll_until(lambda: first.read_text().count("\n") == 1, "a line")
        self.reload_with(log={"connections": str(second)})
        poll_until(second.exists, "the other file")
        self.served()
        poll_until(lambda: second.read_text().count("\n") == 1, "a line in the other file")
        self.assertEqual(first.read_text().count("\n"), 1)
        self.assertNotIn("at a restart only", self.server.stderr())

    def test_a_new_certificate_serves_new_connections_and_the_old_ones_live_on(self):
        self.start()
        old = self.client(self.server)
        self.assertEqual(old.request(GET).status, 200)
        self.put("tls.crt", self.pki.server_next.crt)
        self.put("tls.key", self.pki.server_next.key)
        self.assertEqual(self.served(), (200, self.pki.server.der()), "nothing changes before the signal")
        self.reload()
        self.assertEqual(self.served(), (200, self.pki.server_next.der()))
        for _ in range(3):
            self.assertEqual(old.request(GET).status, 200)

    def test_new_backends_and_hosts_are_taken_up(self):
        self.start()
        new = self.http_backend(name="new")
        hosts = [dict(self.config["virtual_hosts"][0], server_names=["app.localhost", "b.localhost"])]
        self.reload_with(backends=[{"name": "app", "targets": [new.address]}], virtual_hosts=hosts)
        with self.client(self.server) as client:
            self.assertEqual(client.request(GET).body, b"new")
        with self.client(self.server, sni="b.localhost") as client:
            self.assertEqual(client.request("GET / HTTP/1.1\nHost: b.localhost").body, b"new")

    def expect_unchanged(self, *in_stderr):
        self.assertEqual(self.served(), (200, self.pki.server.der()))
        with self.client(self.server) as client:
            self.assertEqual(client.request(GET).body, b"old")
        for text in in_stderr:
            self.assertIn(text, self.server.stderr())
        self.assertEqual(self.server.metrics().sum(RELOADS, result="success"), 0)
        self.assertEqual(self.server.admin_get("/readyz")[0], 200)

    def test_a_broken_file_changes_nothing(self):
        self.start()
        self.server.write_config("listeners: [\n  oops")
        self.reload("failure")
        self.expect_unchanged("portcullis.yaml:")

    def test_an_unknown_field_changes_nothing_and_is_named(self):
        self.start()
        hosts = [dict(self.config["virtual_hosts"][0], backand="app")]
        self.reload_with("failure", virtual_hosts=hosts, backends=[{"name": "app", "targets": ["127.0.0.1:9"]}])
        self.expect_unchanged("backand", "backend", "portcullis.yaml:")

    def test_a_key_of_another_certificate_changes_nothing(self):
        """All or nothing: the backend changed in the same file is not taken up either."""
        self.start()
        self.put("tls.crt", self.pki.server_next.crt)
        self.reload_with("failure", backends=[{"name": "app", "targets": ["127.0.0.1:9"]}])
        self.expect_unchanged("tls.")
        self.put("tls.crt", self.pki.server.crt)
        self.reload_with()
        self.assertEqual(self.served()[0], 200)

    def test_missing_and_unreadable_trust_changes_nothing(self):
        self.start()
        for name, text in (("ca.crt", "not a certificate"), ("ca.crl", "-----BEGIN X509 CRL-----\nAAAA\n")):
            with self.subTest(name):
                kept = (self.files / name).read_bytes()
                (self.files / name).write_text(text)
                self.reload("failure")
                self.expect_unchanged(name)
                (self.files / name).write_bytes(kept)
        (self.files / "ca.crt").rename(self.files / "gone")
        self.reload("failure")
        self.expect_unchanged("ca.crt")

    def test_a_new_crl_refuses_the_revoked_at_once(self):
        self.start("alert")
        self.assertEqual(self.served()[0], 200)
        self.assertEqual(self.served(cert=self.pki.client_second)[0], 200)
        self.pki.ca.crl(self.files / "ca.crl", [self.pki.client])
        self.reload()
        with self.assertRaisesRegex(Closed, "CERTIFICATE_REVOKED"):
            with self.client(self.server) as client:
                client.send(b"GET")
                client.recv()
        self.assertEqual(self.served(cert=self.pki.client_second)[0], 200)

    def test_a_trusts_last_crl_does_not_go_unnoticed(self):
        self.start()
        self.reload()
        self.assertNotIn("has none any more", self.server.stderr())
        (self.files / "ca.crl").unlink()
        self.reload()
        told = "trust 'clients' had 1 CRL and has none any more: revoked clients are no longer refused"
        poll_until(lambda: told in self.server.stderr(), self.server.stderr)

    def sessions(self):
        """For each TLS version a context with the session of a served connection in it."""
        for version in ("1.2", "1.3"):
            context = tls_context(self.pki.client, self.pki.ca.crt, version)
            with self.client(self.server, context=context) as client:
                self.assertEqual(client.request(GET).status, 200)
                session = client.tls.session
            with self.client(self.server, context=context, session=session) as client:
                self.assertEqual(client.request(GET).status, 200)
                self.assertTrue(client.tls.session_reused, f"{version} resumes before the change")
                yield version, context, client.tls.session or session

    def test_a_new_crl_refuses_resumption_too(self):
        for refusal in ("alert", "http"):
            with self.subTest(refusal=refusal):
                if refusal == "http":
                    self.dir = self.dir / "http"
                    self.dir.mkdir()
                self.start(refusal)
                held = list(self.sessions())
                self.pki.ca.crl(self.files / "ca.crl", [self.pki.client])
                self.reload()
                before = self.server.metrics()
                for version, context, session in held:
                    self.expect_refused(refusal, context, session)
                moved = self.server.metrics().moved(before)
                reasons = {dict(labels).get("reason"): delta for (name, labels), delta in moved.items()
                           if name == "portcullis_handshake_rejections_total"}
                self.assertEqual(reasons, {"revoked": 2})

    def expect_refused(self, refusal, context, session):
        if refusal == "http":
            with self.client(self.server, context=context, session=session) as client:
                answer = client.request(GET)
                self.assertEqual(answer.status, 400)
                self.assertIn(b"The SSL certificate error", answer.body)
        else:
            with self.assertRaisesRegex(Closed, "alert: .*CERTIFICATE_REVOKED"):
                with self.client(self.server, context=context, session=session) as client:
                    client.send(b"GET")
                    client.recv()
        self.assertEqual(len([r for r in self.app.requests if r.start.startswith("GET / ")]),
                         len(self.app.requests))

    def test_a_changed_trust_refuses_the_old_and_takes_the_new(self):
        self.start("http")
        held = list(self.sessions())
        with self.client(self.server, cert=self.pki.stranger) as client:
            self.assertEqual(client.request(GET).status, 400)
        self.put("ca.crt", self.pki.other.crt)
        self.reload_with(trusts=[{"name": "clients", "ca": [str(self.files / "ca.crt")]}])
        self.assertEqual(self.served(cert=self.pki.stranger)[0], 200)
        self.assertEqual(self.served()[0], 400)
        for _, context, session in held:
            with self.client(self.server, context=context, session=session) as client:
                self.assertEqual(client.request(GET).status, 400)
                self.assertFalse(client.tls.session_reused)

    def dry_run(self):
        metrics = self.server.metrics()
        return tuple(int(metrics.sum("portcullis_reload_dry_run_identities", result=result))
                     for result in ("accepted", "refused"))

    def test_a_dry_run_tells_whom_the_new_trust_would_refuse(self):
        self.start("http")
        self.put("ca.crt", self.both_cas())
        self.reload()
        self.assertEqual(self.dry_run(), (0, 0), "nobody has been seen")
        for cert in (self.pki.client, self.pki.client_second, self.pki.stranger, self.pki.client):
            self.assertEqual(self.served(cert=cert)[0], 200)
        self.put("ca.crt", self.pki.other.crt)
        (self.files / "ca.crl").unlink()
        told = "of 3 clients seen recently the new trust would refuse 2: unknown_ca 2"
        for bound in ("10%", 1):
            self.reload_with("failure", reload={"refuse_over": bound})
            self.assertEqual(self.dry_run(), (1, 2))
            self.assertIn(f"{told}; reload.refuse_over is {bound}", self.server.stderr())
            for cert in (self.pki.client, self.pki.client_second, self.pki.stranger):
                self.assertEqual(self.served(cert=cert)[0], 200, "the old configuration is in force")
        self.reload_with(reload={"refuse_over": "100%"})
        self.assertEqual(self.dry_run(), (1, 2))
        self.assertEqual(self.server.stderr().count(f"reload: {told}"), 3)
        self.assertEqual(self.served(cert=self.pki.stranger)[0], 200)
        self.assertEqual(self.served()[0], 400)

    def test_a_dry_run_counts_who_only_resumed_and_who_sent_too_much_whatever_the_host_is_called(self):
        secret = self.dir / "tickets.key"
        secret.touch(mode=0o600)
        secret.write_bytes(b"one secret for this process and the next one")
        self.start("http", tickets={"secret_file": str(secret)})
        held = list(self.sessions())
        self.assertEqual(self.server.stop(), 0)
        self.server = self.serve(copy.deepcopy(self.config))
        for _, context, session in held:
            with self.client(self.server, context=context, session=session) as client:
                self.assertEqual(client.request(GET).status, 200)
                self.assertTrue(client.tls.session_reused)
        surplus = Cert(self.dir / "surplus.crt", self.pki.client_second.key)
        surplus.crt.write_bytes(self.pki.client_second.crt.read_bytes() + self.pki.other.crt.read_bytes())
        self.assertEqual(self.served(cert=surplus)[0], 200)

        self.put("ca.crt", self.pki.other.crt)
        (self.files / "ca.crl").unlink()
        renamed = {"virtual_hosts": [dict(self.config["virtual_hosts"][0], name="renamed")],
                   "listeners": [dict(self.config["listeners"][0], hosts=["renamed"])]}
        self.reload_with("failure", reload={"refuse_over": 1}, **renamed)
        self.assertEqual(self.dry_run(), (0, 2))
        self.assertIn("of 2 clients seen recently the new trust would refuse 2: unknown_ca 2", self.server.stderr())

    def both_cas(self):
        path = self.dir / "both.crt"
        path.write_bytes(self.pki.ca.crt.read_bytes() + self.pki.other.crt.read_bytes())
        return path

    def test_stricter_authentication_ends_what_sessions_allowed(self):
        self.start("http")
        optional = copy.deepcopy(self.config["virtual_hosts"])
        optional[0]["client_auth"]["mode"] = "optional"
        self.reload_with(virtual_hosts=optional)
        context = tls_context(None, self.pki.ca.crt, "1.3")
        with self.client(self.server, context=context) as client:
            self.assertEqual(client.request(GET).status, 200)
            session = client.tls.session
        self.reload_with()
        with self.client(self.server, context=context, session=session) as client:
            answer = client.request(GET)
            self.assertEqual(answer.status, 400)
            self.assertIn(b"No required SSL certificate was sent", answer.body)

    def test_a_log_file_is_reopened(self):
        log = self.dir / "connections.log"
        self.start(log={"connections": str(log)})
        self.served()
        poll_until(lambda: log.exists() and log.read_text().count("\n") == 1, "the first line")
        log.rename(log.with_suffix(".1"))
        self.reload()
        self.served()
        poll_until(lambda: log.exists() and log.read_text().count("\n") == 1, "a line in the new file")
        self.assertEqual(json.loads(log.read_text())["event"], "connection")

    def test_many_reloads_under_traffic_lose_nothing(self):
        self.start()
        client = self.client(self.server)
        for number in range(10):
            self.reload()
            self.assertEqual(client.request(GET).status, 200)
            self.assertEqual(self.served()[0], 200)
        self.assertEqual(self.server.metrics().sum("portcullis_handshake_rejections_total"), 0)


if __name__ == "__main__":
    harness.main()
