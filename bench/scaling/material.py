"""The certificates and CRLs that a measurement needs by the thousand, made without a library's help.

Fillers are self-signed certificates of one key with a signature that is none: nobody checks an anchor's own.
"""

import base64
import datetime
import os

from local import P256, issue, openssl

ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
ROOT_NAME = "Bench Root"


def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts):
    return der(0x30, *parts)


def name_of(common_name):
    return sequence(der(0x31, sequence(bytes.fromhex("0603550403"), der(0x0c, common_name.encode()))))


def utc(days):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return der(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def extension(oid, value, critical=False):
    return sequence(bytes.fromhex(oid), der(0x01, b"\xff") if critical else b"", der(0x04, value))


def bits(content):
    return der(0x03, b"\0" + content)


def pem(kind, content):
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n"


def filler_cas(public_key, count):
    """`count` CAs as PEM. `public_key` is a SubjectPublicKeyInfo."""
    constraints = extension("0603551d13", sequence(der(0x01, b"\xff")), critical=True)
    usage = extension("0603551d0f", bytes.fromhex("03020106"), critical=True)
    validity, no_signature = sequence(utc(-1), utc(30)), bits(bytes(64))
    made = []
    for i in range(count):
        name, key_id = name_of(f"Filler CA {i}"), i.to_bytes(20, "big")
        extensions = der(0xa3, sequence(constraints, usage, extension("0603551d0e", der(0x04, key_id))))
        serial = der(0x02, b"\x40" + i.to_bytes(7, "big"))
        body = sequence(bytes.fromhex("a003020102"), serial, ECDSA_SHA256, name, validity, name, public_key, extensions)
        made.append(pem("CERTIFICATE", sequence(body, ECDSA_SHA256, no_signature)))
    return "".join(made)


def write_crl(folder, path, count):
    """A CRL of the root's with `count` random serials of 16 bytes, in DER."""
    day, serials = utc(-1), os.urandom(16 * count)
    head = bytes([0x30, 18 + len(day), 0x02, 16, 0x40])
    entries = b"".join(head + serials[at + 1:at + 16] + day for at in range(0, 16 * count, 16))
    number = der(0xa0, sequence(extension("0603551d14", der(0x02, b"\1"))))
    body = sequence(der(0x02, b"\1"), ECDSA_SHA256, name_of(ROOT_NAME), utc(-1), utc(7), der(0x30, entries), number)
    (folder / "crl.tbs").write_bytes(body)
    signature = openssl(folder, "dgst", "-sha256", "-sign", "root.key", "crl.tbs")
    path.write_bytes(sequence(body, ECDSA_SHA256, bits(signature)))


def make_files(folder, cas, revoked):
    """A root with a certificate for a client; a file of other CAs for each number of `cas`, a CRL of the root's for
    each number of `revoked`."""
    (folder / "leaf.ext").write_text("subjectAltName=DNS:*.bench.localhost\n")
    openssl(folder, "req", "-x509", *P256, "-days", 2, "-subj", f"/CN={ROOT_NAME}", "-keyout", "root.key", "-out",
            "root.crt")
    issue(folder, "client", "root.crt", "root.key", "leaf.ext")
    (folder / "issuer.pem").write_text((folder / "root.crt").read_text() + (folder / "root.key").read_text())
    openssl(folder, "pkey", "-in", "root.key", "-pubout", "-outform", "DER", "-out", "root.spki")
    spki = (folder / "root.spki").read_bytes()
    for count in cas:
        (folder / f"fillers-{count}.crt").write_text(filler_cas(spki, count - 1))
    for count in revoked:
        write_crl(folder, folder / f"root-{count}.crl", count)
