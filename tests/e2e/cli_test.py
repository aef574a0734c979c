"""The command line as operators and service managers meet it: what is printed, and the exit status."""

import json
import socket
import subprocess

import harness
from clients import curl
from harness import E2ETest, http_config

CONFIG_ERROR = 78


class CommandLine(E2ETest):

    def portcullis(self, *args):
        return subprocess.run([harness.BINARY, *map(str, args)], capture_output=True, timeout=60 * harness.SLOW,
                              text=True)

    def config_file(self, config):
        path = self.dir / "portcullis.yaml"
        path.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
        return path

    def good(self):
        return http_config(self.pki, "127.0.0.1:9")

    def test_version(self):
        done = self.portcullis("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"\d+\.\d+\.\d+")

    def test_check_says_what_would_run(self):
        done = self.portcullis("check", "--config", self.config_file(self.good()))
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("main", "app.localhost", "require", "127.0.0.1:9"):
            self.assertIn(word, done.stdout)

    def test_mistakes_are_named_with_their_place_by_check_and_serve_alike(self):
        typo, trust, key = self.good(), self.good(), self.good()
        typo["virtual_hosts"][0]["client_auth"]["mod"] = "require"
        trust["virtual_hosts"][0]["client_auth"]["trust"] = "client"
        key["virtual_hosts"][0]["certificates"][0]["key"] = str(self.pki.server_next.key)
        missing = self.good()
        missing["trusts"][0]["ca"] = [str(self.dir / "nowhere.crt")]
        for config, words in ((typo, ["client_auth.mod", "mode"]), (trust, ["client_auth.trust", "clients"]),
                              (key, ["server-next.key"]), (missing, ["nowhere.crt"]), ("]", []), ("", [])):
            path = self.config_file(config)
            for command in (["check"], ["serve", "--ready-file", self.dir / "ready"]):
                with self.subTest(words=words, command=command[0]):
                    done = self.portcullis(*command, "--config", path)
                    self.assertEqual(done.returncode, CONFIG_ERROR, done.stderr)
                    self.assertRegex(done.stderr, r"portcullis\.yaml:\d+:\d+" if words else r"portcullis\.yaml")
                    for word in words:
                        self.assertIn(word, done.stderr)
        self.assertFalse((self.dir / "ready").exists())

    def test_a_missing_configuration_is_an_error(self):
        for command in ("check", "serve"):
            done = self.portcullis(command, "--config", self.dir / "none.yaml")
            self.assertEqual(done.returncode, CONFIG_ERROR)
            self.assertIn("none.yaml", done.stderr)

    def test_a_port_already_taken_is_refused(self):
        """Also when the holder set SO_REUSEPORT, which would let us share it unseen."""
        for reuse in (0, 1):
            with socket.socket() as holder:
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse)
                holder.bind(("127.0.0.1", 0))
                holder.listen()
                config = self.good()
                config["listeners"][0]["address"] = "127.0.0.1:%d" % holder.getsockname()[1]
                done = self.portcullis("serve", "--config", self.config_file(config))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(config["listeners"][0]["address"], done.stderr)

    def test_unknown_commands_and_options_are_refused(self):
        for args in (["sreve"], ["serve", "--confg", "x"], ["serve"], []):
            done = self.portcullis(*args)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotEqual(done.stderr, "")

    def test_doctor_finds_this_machine_fit(self):
        done = self.portcullis("doctor")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("io_uring", done.stdout)

    def test_demo_check_passes(self):
        done = self.portcullis("demo", "--check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_embedded_backend_serves(self):
        with subprocess.Popen([harness.BINARY, "backend", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                              text=True) as process:
            try:
                address = process.stdout.readline().strip().removeprefix("listening on ")
                answer = curl(f"http://{address}/headers")
                self.assertEqual(answer.status, 200)
            finally:
                process.terminate()


if __name__ == "__main__":
    harness.main()
