"""Certificates and keys for servers by the thousand, each host its own.

A key is the one before plus one, its public point the one before plus the generator: an addition, where a fresh key
takes a multiplication. That makes them worth nothing as secrets, and no different to a server. The signatures are none:
no server checks its own, and the load generator checks nobody's.
"""

import secrets

from scaling.material import ECDSA_SHA256, bits, der, extension, name_of, pem, sequence, utc

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
GENERATOR = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
             0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
P256_KEY = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")  # the AlgorithmIdentifier


def add(one, other):
    """The sum of two points of the curve P-256, neither of which is the other's negative."""
    (x1, y1), (x2, y2) = one, other
    slope = 3 * (x1 * x1 - 1) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def multiple(number):
    """The generator, `number` times."""
    found, power = None, GENERATOR
    while number:
        if number & 1:
            found = add(found, power) if found else power
        number, power = number >> 1, add(power, power)
    return found


def private_key(number, public):
    inner = sequence(der(0x02, b"\1"), der(0x04, number.to_bytes(32, "big")), der(0xa1, bits(public)))
    return pem("PRIVATE KEY", sequence(der(0x02, b"\0"), P256_KEY, der(0x04, inner)))


def certificate(issuer, serial, name, public):
    names = extension("0603551d11", sequence(der(0x82, name.encode())))
    body = sequence(bytes.fromhex("a003020102"), der(0x02, b"\x40" + serial.to_bytes(7, "big")), ECDSA_SHA256,
                    name_of(issuer), sequence(utc(-1), utc(30)), name_of(name), sequence(P256_KEY, bits(public)),
                    der(0xa3, sequence(names)))
    return pem("CERTIFICATE", sequence(body, ECDSA_SHA256, bits(bytes.fromhex("3006020101020101"))))


def write(folder, issuer, names):
    """NAME.crt and NAME.key in `folder` for each of `names`."""
    folder.mkdir(exist_ok=True)
    number = secrets.randbits(128)
    point = multiple(number)
    for serial, name in enumerate(names):
        public = b"\4" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")
        (folder / f"{name}.crt").write_text(certificate(issuer, serial, name, public))
        (folder / f"{name}.key").write_text(private_key(number, public))
        number, point = number + 1, add(point, GENERATOR)
