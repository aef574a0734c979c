"""A server under measurement: how it is started, watched and ended, whoever made it."""

import os
import re
import shutil
import socket
import subprocess

from local import Fault, wait_for

from comparison import process
from comparison.load import free_port

# Where Debian puts servers, for those whose PATH has no sbin.
FOLDERS = ("/usr/sbin", "/usr/local/sbin")
OPENSSL = """openssl_conf = all
[all]
ssl_conf = modules
[modules]
system_default = every_context
[every_context]
"""
ONE_TICKET = "NumTickets = 1\n"
# Without the first there are none in TLS 1.2; TLS 1.3 has other tickets then, of sessions that the server keeps.
NO_TICKETS = "Options = -SessionTicket\nNumTickets = 0\n"


class Setting:
    """What a server is to be like, the same for all."""

    def __init__(self, folder, pki, backend, core, tickets, descriptors, beside=None, one_ticket=False):
        self.folder = folder  # scratch, the server's own
        self.pki = pki  # of local.make_pki
        self.backend = backend  # path of a socket
        self.core = core
        self.tickets = tickets
        self.descriptors = descriptors
        self.beside = beside  # likewise, of a second listener; None without
        self.one_ticket = one_ticket  # with each full handshake, whatever the server does by itself

    def environment(self):
        """The variables that a server is started with. OpenSSL reads in a file how many tickets to send, whoever uses
        it; a user of the packages could say so too."""
        if self.tickets and not self.one_ticket:
            return None
        path = self.folder / "openssl.cnf"
        path.write_text(OPENSSL + (ONE_TICKET if self.tickets else NO_TICKETS))
        return {**os.environ, "OPENSSL_CONF": str(path)}


class Server:
    """Subclasses say which binary, which command line and which configuration."""

    name = ""  # as in the tables
    kind = ""  # http: requests are read; tcp: a stream is passed through
    package = ""  # that has it
    version_arguments = ("-v",)
    tickets_can_be_one = True

    def __init__(self):
        self.process = None
        self.port = None
        self._log = None

    @classmethod
    def executable(cls):
        """Path of the binary, or None."""
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS])
        return shutil.which(cls.name.split("-")[0], path=path)

    @classmethod
    def missing(cls):
        """The package to install; empty when all is there."""
        return "" if cls.executable() else cls.package

    @classmethod
    def version(cls):
        done = subprocess.run([cls.executable(), *cls.version_arguments], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+(\.\d+)?[\w.+-]*", done.stdout + done.stderr)
        return found[0] if found else "unknown"

    def command(self, setting):
        """Writes the configuration for self.port into setting.folder and returns the command line."""
        raise NotImplementedError

    def start(self, setting):
        setting.folder.mkdir(parents=True, exist_ok=True)
        setting.folder.chmod(0o755)
        self._log = setting.folder / "log"
        self.port = free_port()
        command = ["taskset", "-c", str(setting.core), *map(str, self.command(setting))]
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=setting.environment())
        try:
            wait_for(self.is_up, self.name)
        except BaseException:
            self.stop()
            raise

    def is_up(self):
        if self.process.poll() is not None:
            said = self._log.read_text(errors="replace").strip()[-2000:]
            raise Fault(f"{self.name} ended with {self.process.returncode}: {said or 'it said nothing'}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def tree(self):
        return process.ProcessTree(self.process.pid)

    def stop(self):
        if self.process is not None:
            process.stop(self.process)
            self.process = None
