"""Portcullis as one of the servers."""

import json
import subprocess

from local import terminator_config

from comparison.server import Server


class Portcullis(Server):
    package = "this repository, built: cmake --preset release && cmake --build build/release"
    binary = None  # set by main, from the options
    ready = None

    @classmethod
    def executable(cls):
        return str(cls.binary) if cls.binary.exists() else None

    @classmethod
    def version(cls):
        done = subprocess.run([str(cls.binary), "--version"], capture_output=True, text=True, check=False)
        said = done.stdout.strip()
        return said.splitlines()[0].removeprefix("portcullis ") if done.returncode == 0 and said else "unknown"

    def command(self, setting):
        config = terminator_config(setting.pki, self.kind, f"unix:{setting.backend}",
                                   tls={"groups": ["X25519", "P-256"], "tickets": setting.tickets})
        config["listeners"][0]["address"] = f"127.0.0.1:{self.port}"
        path = setting.folder / "portcullis.yaml"
        path.write_text(json.dumps(config, indent=1))
        self.ready = setting.folder / "ready.json"
        self.ready.unlink(missing_ok=True)
        return [self.binary, "serve", "--config", path, "--ready-file", self.ready]

    def is_up(self):
        return super().is_up() and self.ready.exists()


class PortcullisHttp(Portcullis):
    name = "portcullis-http"
    kind = "http"


class PortcullisTcp(Portcullis):
    name = "portcullis-tcp"
    kind = "tcp"
