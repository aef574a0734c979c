"""Portcullis as one of the servers."""

import json
import subprocess

from local import terminator_config

from comparison.load import free_port
from comparison.server import Server


class Portcullis(Server):
    package = "this repository, built: cmake --preset release && cmake --build build/release"
    binary = None  # set by main, from the options
    ready = None
    slow_port = None  # of the second listener, where there is one
    key_provider = "auto"

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
                                   tls={"groups": ["X25519", "P-256"], "tickets": setting.tickets,
                                        "key_provider": self.key_provider})
        config["listeners"][0]["address"] = f"127.0.0.1:{self.port}"
        if setting.beside is not None:
            self._add_listener(config, setting.beside)
        path = setting.folder / "portcullis.yaml"
        path.write_text(json.dumps(config, indent=1))
        self.ready = setting.folder / "ready.json"
        self.ready.unlink(missing_ok=True)
        return [self.binary, "serve", "--config", path, "--ready-file", self.ready]

    def _add_listener(self, config, pki):
        """One for clients of the same trust whose certificate and key are those of `pki`."""
        self.slow_port = free_port()
        host = config["virtual_hosts"][0]
        host["name"] = "main"
        config["virtual_hosts"].append({**host, "name": "beside", "certificates": [{"folder": str(pki / "tls")}]})
        config["listeners"][0]["hosts"] = ["main"]
        config["listeners"].append({**config["listeners"][0], "name": "beside", "hosts": ["beside"],
                                    "address": f"127.0.0.1:{self.slow_port}"})

    def is_up(self):
        return super().is_up() and self.ready.exists()


class PortcullisHttp(Portcullis):
    name = "portcullis-http"
    kind = "http"


class PortcullisTcp(Portcullis):
    name = "portcullis-tcp"
    kind = "tcp"


class PortcullisHttpBuiltin(PortcullisHttp):
    name = "portcullis-http-builtin"
    key_provider = "builtin"


class PortcullisTcpBuiltin(PortcullisTcp):
    name = "portcullis-tcp-builtin"
    key_provider = "builtin"
