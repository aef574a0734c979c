"""RSA server keys by either library, on workers and helper threads, against OpenSSL's clients."""

import os
import subprocess

import harness
from clients import poll_until, s_client
from harness import E2ETest, http_config

OPERATIONS = "portcullis_private_key_operations_total"
REQUEST = b"GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n"
CONFIG_ERROR = 78


def system_libcrypto():
    """Whether the loader finds OpenSSL 3's."""
    env = {**os.environ, "PATH": "/usr/sbin:/sbin:" + os.environ["PATH"]}
    return "libcrypto.so.3" in subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, env=env).stdout


class Signing(E2ETest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rsa = {2048: cls.pki.server_rsa, 4096: cls.pki.ca.server("server-rsa4096", algorithm="rsa:4096")}

    def config(self, certificate, **tls):
        config = http_config(self.pki, self.app.address, tls=tls)
        config["virtual_hosts"][0]["certificates"] = [{"certificate": str(certificate.crt),
                                                       "key": str(certificate.key)}]
        return config

    def setUp(self):
        super().setUp()
        self.app = self.http_backend()

    def visit(self, server, version):
        done = s_client(server.port, version=version, cert=self.pki.client, cacert=self.pki.ca.crt, request=REQUEST,
                        timeout=20 * harness.SLOW)
        self.assertIn("200", done.body.split("\r\n")[0], done.output[-2000:])
        self.assertEqual(done.version, f"TLSv{version}")

    def expect_operations(self, server, count, **labels):
        poll_until(lambda: server.metrics().sum(OPERATIONS, result="ok") == count, "the signatures counted")
        self.assertEqual(server.metrics().sum(OPERATIONS, **labels), count)

    def test_rsa_keys_serve_by_every_provider_and_thread(self):
        providers = ["builtin", "auto"] + (["system"] if system_libcrypto() else [])
        for (bits, certificate), helper in zip(self.rsa.items(), ("never", "always")):
            for provider in providers:
                with self.subTest(bits=bits, provider=provider):
                    server = self.serve(self.config(certificate, key_provider=provider, sign_on_helper=helper))
                    for version in ("1.2", "1.3"):
                        self.visit(server, version)
                    labels = {"thread": "worker" if helper == "never" else "helper"}
                    if provider != "auto":
                        labels["provider"] = provider
                    self.expect_operations(server, 2, **labels)
                    server.stop()

    def test_the_choice_is_logged_with_its_figures_once(self):
        server = self.serve(self.config(self.rsa[4096]))
        line = r"RSA-4096 keys: a signature takes \d+ us(, with the system's libcrypto \(OpenSSL 3.*\) \d+ us; the " \
               r"(latter|former) is used|; the system's libcrypto is not used: .*), on a helper thread"
        self.assertRegex(server.stderr(), line)
        self.visit(server, "1.3")
        self.expect_operations(server, 1, thread="helper")
        server.write_config(self.config(self.rsa[4096], sign_on_helper="never"))
        server.send_signal(1)
        poll_until(lambda: "reloaded" in server.stderr(), "the reload")
        self.assertEqual(server.stderr().count("RSA-4096 keys"), 1)
        self.visit(server, "1.3")
        self.assertEqual(server.metrics().sum(OPERATIONS, thread="worker", result="ok"), 1)

    def test_without_the_library_auto_serves_and_system_is_an_error(self):
        certificate = self.rsa[2048]
        (self.dir / "libcrypto.so.3").write_bytes(b"")  # found first, and not a library
        without = ["env", f"LD_LIBRARY_PATH={self.dir}"]
        server = self.serve(self.config(certificate), wrapper=without)
        self.assertIn("the system's libcrypto is not used", server.stderr())
        self.visit(server, "1.3")
        self.expect_operations(server, 1, provider="builtin")
        path = self.dir / "system.yaml"
        path.write_text(str(self.config(certificate, key_provider="system")).replace("'", '"'))
        done = subprocess.run([*without, harness.BINARY, "check", "--config", path], capture_output=True, text=True,
                              timeout=60 * harness.SLOW)
        self.assertEqual(done.returncode, CONFIG_ERROR, done.stderr)
        self.assertIn("key_provider is system, but the system's libcrypto (OpenSSL 3) cannot be used", done.stderr)
        self.assertIn("libcrypto.so.3", done.stderr)
        self.assertRegex(done.stderr, r"system\.yaml:\d+:\d+: .*server-rsa\.key")

    def test_clients_that_leave_while_their_signature_is_made_leave_nothing_behind(self):
        server = self.serve(self.config(self.rsa[4096], sign_on_helper="always"))
        for _ in range(60):
            client = self.client(server, handshake=False)
            client.greet()
            client.close()
        poll_until(lambda: server.metrics().sum("portcullis_active_connections") == 0, "all gone")
        self.visit(server, "1.3")


if __name__ == "__main__":
    harness.main()
