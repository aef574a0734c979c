"""Whether a server does the work that is measured, and the same as the others: it must know its clients from strangers,
and agree with them on the same cipher and group."""

from local import Fault

from comparison.load import pair

CONNECTIONS = 16


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
