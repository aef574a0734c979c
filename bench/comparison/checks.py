"""Whether a server does the work that is measured: it must know its clients from strangers."""

from comparison.load import pair

CONNECTIONS = 16


def refusals(result, bad):
    return sum(result["refused"].get(bad, {}).values())


def check(server, load, pki, more=()):
    """Raises SystemExit unless the server serves a good client, and neither one of another CA nor one without
    certificate. `more`: arguments for the load generator."""
    few = ["--connections", 4, "--total", CONNECTIONS, "--timeout", 5, *more]
    good = load.run(server.port, *pair(pki), *few)
    if good["done"] != CONNECTIONS or good["failed"]:
        raise SystemExit(f"{server.name} does not serve a good client: {good['failures']}")
    for bad in ("wrong_ca", "none"):
        result = load.run(server.port, *pair(pki), "--bad", f"{bad}=100", *few)
        if result["done"] or result["failed"] or not refusals(result, bad):
            raise SystemExit(f"{server.name} must refuse a client ({bad}) and does not, or not so that it shows: "
                             f"{result['failures'] or result['refused']}")
