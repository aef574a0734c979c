"""Whether a server does the work that is measured, and the same as the others: it must know its clients from strangers,
and agree with them on the same cipher and group."""

import re
import subprocess

from local import Fault

from comparison.load import pair

CONNECTIONS = 16
GET = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def refusals(result, bad):
    return sum(result["refused"].get(bad, {}).values())


def check(server, load, pki, more=()):
    """What the server and a good client agreed on, as words. Raises Fault unless it serves that client, and neither
    one of another CA nor one without certificate. `more`: arguments for the load generator."""
    few = ["--connections", 4, "--total", CONNECTIONS, "--timeout", 5, *more]
    good = load.run(server.port, *pair(pki), *few)
    if good["done"] != CONNECTIONS or good["failed"]:
        raise Fault(f"{server.name} does not serve a good client: {good['failures']}")
    for bad in ("wrong_ca", "none"):
        result = load.run(server.port, *pair(pki), "--bad", f"{bad}=100", *few)
        if result["done"] or result["failed"] or not refusals(result, bad):
            raise Fault(f"{server.name} must refuse a client ({bad}) and does not, or not so that it shows: "
                        f"{result['failures'] or result['refused']}")
    return sorted(good["negotiated"])


def tickets_sent(server, pki, scratch, more=()):
    """How many session tickets the server sends with one handshake, as a client of OpenSSL's sees them until the server
    has answered a request and closed. `more`: arguments for the load generator, which say whether that handshake is of
    TLS 1.2, and a resumption. `scratch`: a folder for the session. Raises Fault when no such handshake comes about."""
    resumes = "--resume-share" in more
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "localhost", "-cert",
               pki / "client.crt", "-cert_chain", pki / "client.crt", "-key", pki / "client.key",
               "-tls1_2" if "1.2" in more else "-tls1_3", "-msg", "-ign_eof"]
    session = scratch / "session.pem"
    for part in (["-sess_out", session], ["-sess_in", session]) if resumes else ([],):
        done = subprocess.run([*map(str, command), *map(str, part)], input=GET, capture_output=True, text=True,
                              errors="replace", timeout=20, check=False)
    said = done.stdout
    if ", ServerHello" not in said or not re.search(r"^HTTP/1\.[01] 200 ", said, re.MULTILINE):
        raise Fault(f"{server.name} does not answer openssl s_client, which counts tickets: {done.stderr.strip()}")
    if resumes != ("Reused, " in said):
        raise Fault(f"{server.name}: openssl s_client, which counts tickets, "
                    f"{'cannot resume' if resumes else 'resumes'}")
    return said.count(", NewSessionTicket")


def as_wanted(server, tickets, wanted, one):
    """Raises Fault where the server sends `tickets` and there should be none, or some, or just one."""
    if bool(tickets) != wanted or (one and tickets != 1):
        raise Fault(f"{server.name} sends {tickets} tickets, where {'1' if one else 'some' if wanted else 'none'} "
                    "should be measured")


class Agreement:
    """Cipher and group, which the first server of a variant sets for all: others would be other work."""

    def __init__(self):
        self.first = None

    def join(self, server, negotiated):
        """Raises Fault unless `negotiated` (of check) is what the first server's was."""
        if self.first is None:
            self.first = (server.name, negotiated)
        name, wanted = self.first
        if negotiated != wanted:
            raise Fault(f"{server.name} and its clients agree on {', '.join(negotiated)}, {name} on "
                        f"{', '.join(wanted)}")
