"""`portcullis verify` with a virtual host of a configuration: it must say what the server would do."""

import json
import subprocess

import harness
from harness import E2ETest, http_config
from pki import CLIENT_EKU, Cert

ACCEPTED, REJECTED, UNKNOWN = 0, 1, 2


class Verify(E2ETest):

    def setUp(self):
        super().setUp()
        self.path = self.dir / "portcullis.yaml"

    def config(self, **client_auth):
        config = http_config(self.pki, "127.0.0.1:9")
        config["virtual_hosts"][0]["client_auth"] |= client_auth
        self.path.write_text(json.dumps(config))

    def verify(self, cert, *flags, host="app.localhost"):
        done = subprocess.run([harness.BINARY, "verify", "--json", "--policy", f"{self.path}#{host}", *flags,
                               str(cert.crt)], capture_output=True, timeout=60 * harness.SLOW, text=True)
        return done.returncode, json.loads(done.stdout)

    def test_the_hosts_trust_decides(self):
        self.config()
        code, report = self.verify(self.pki.client)
        self.assertEqual((code, report["verdict"]), (ACCEPTED, "accepted"))
        self.assertEqual(report["identity"]["sha256"], self.pki.client.sha256())
        self.assertEqual(report["path"][-1]["source"], "anchor")
        code, report = self.verify(self.pki.server)
        self.assertEqual((code, report["reason"]), (REJECTED, "bad_purpose"))

    def test_untrusted_certificates_are_what_the_client_sends(self):
        self.config()
        leaf = Cert(self.pki.chained.leaf, self.pki.chained.key)
        code, report = self.verify(leaf)
        self.assertEqual((code, report["reason"]), (REJECTED, "unknown_ca"))
        code, report = self.verify(leaf, "--untrusted", str(self.pki.mid.crt))
        self.assertEqual((code, report["path"][1]["source"]), (ACCEPTED, "presented"))
        # The same whether the trust is the host's or named beside it.
        trust = ("--trust", str(self.pki.ca.crt))
        code, report = self.verify(leaf, "--untrusted", str(self.pki.mid.crt), *trust)
        self.assertEqual((code, report["path"][1]["source"]), (ACCEPTED, "presented"))
        code, report = self.verify(leaf, "--intermediate", str(self.pki.mid.crt), *trust)
        self.assertEqual((code, report["path"][1]["source"]), (ACCEPTED, "known"))

    def test_the_bounds_of_what_a_client_sends_are_the_servers(self):
        self.config()
        config = json.loads(self.path.read_text()) | {"limits": {"max_chain_bytes": 1024}}
        self.path.write_text(json.dumps(config))
        code, report = self.verify(self.pki.client)
        self.assertEqual(code, ACCEPTED, report)
        trust = ("--trust", str(self.pki.ca.crt))
        for flags in ((), trust):
            code, report = self.verify(self.pki.client, "--untrusted", str(self.pki.chained.crt), *flags)
            self.assertEqual((code, report["reason"]), (REJECTED, "chain_too_big"), flags)

    def test_the_hosts_policy_has_the_last_word(self):
        name = self.pki.client.subject().split("CN=")[1].split(",")[0]
        self.config(policy={"deny": [{"name": "not-this-one", "common_name": name}]})
        code, report = self.verify(self.pki.client)
        self.assertEqual((code, report["reason"]), (REJECTED, "policy_denied"))
        self.assertIn("not-this-one", report["detail"])

    def test_the_hosts_profile_counts_unless_another_is_asked_for(self):
        self.config(profile="strict")
        nameless = self.pki.ca.issue("nameless", "/CN=client.example", CLIENT_EKU, folder=self.dir)
        code, report = self.verify(nameless)
        self.assertEqual((code, report["detail"]), (REJECTED, "a host's name, and no subjectAltName"))
        self.assertEqual(self.verify(nameless, "--profile", "compatible")[0], ACCEPTED)

    def test_without_such_a_host_it_cannot_tell(self):
        self.config()
        code, report = self.verify(self.pki.client, host="other.localhost")
        self.assertEqual((code, report["verdict"]), (UNKNOWN, "unknown"))
        self.assertIn("other.localhost", report["error"])
        self.path.write_text("]")
        self.assertEqual(self.verify(self.pki.client)[0], UNKNOWN)


if __name__ == "__main__":
    harness.main()
