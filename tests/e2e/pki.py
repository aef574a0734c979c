"""Certificates for the end-to-end tests, made with the openssl command line.

Pki.shared() gives the set every test uses (made once per build folder, remade when half a day old); Ca issues more
where a test needs its own. Keys are EC P-256 for speed. Nothing here looks at the terminator.
"""

import datetime
import fcntl
import os
import pickle
import shutil
import subprocess
import time
from pathlib import Path

CLIENT_EKU = "extendedKeyUsage=clientAuth"
SERVER_EKU = "extendedKeyUsage=serverAuth"
_LEAF = "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
_NAMES = ["localhost", "app.localhost", "a.localhost", "b.localhost", "c.localhost", "*.wild.localhost"]
_SERVER_NAMES = "subjectAltName=IP:127.0.0.1," + ",".join(f"DNS:{name}" for name in _NAMES) + "\n"
_CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
_FRESH_SECONDS = 12 * 3600


def openssl(*args, data=None):
    """Runs openssl and returns its stdout; its complaint is the error."""
    done = subprocess.run(["openssl", *map(str, args)], input=data, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, args))}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def _ca_time(days):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return moment.strftime("%Y%m%d%H%M%SZ")


class Cert:
    """A certificate with its key: `crt` (leaf first, then what `chain` was given) and `key` are paths."""

    def __init__(self, crt, key, leaf=None):
        self.crt = Path(crt)
        self.key = Path(key)
        self.leaf = Path(leaf or crt)  # the leaf alone

    def der(self):
        return openssl("x509", "-in", self.leaf, "-outform", "DER")

    def field(self, option, *more):
        """One printed field, e.g. field("-serial") -> "1F03", field("-subject", "-nameopt", "RFC2253")."""
        text = openssl("x509", "-in", self.leaf, "-noout", option, *more).decode().strip()
        return text.split("=", 1)[1].strip()

    def subject(self):
        return self.field("-subject", "-nameopt", "RFC2253")

    def issuer(self):
        return self.field("-issuer", "-nameopt", "RFC2253")

    def sha256(self):
        return self.field("-fingerprint", "-sha256").replace(":", "").lower()

    def serial(self):
        return self.field("-serial").lower()


class Ca:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder, subject, parent=None, more="", **options):
        """`more` extensions and the `options` of issue() are for those with a parent."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.crt = self.folder / "ca.crt"
        self.key = self.folder / "ca.key"
        if parent is None:
            openssl("req", "-x509", "-sha256", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", self.key, "-out", self.crt, "-days", "30", "-subj", subject,
                    "-config", self._request_config(), "-extensions", "ca")
        else:
            made = parent.issue(self.folder.name, subject, _CA + more, folder=self.folder, **options)
            shutil.copy(made.crt, self.crt)
            shutil.copy(made.key, self.key)

    def _request_config(self):
        path = self.folder / "req.cnf"
        path.write_text("[req]\ndistinguished_name=dn\nstring_mask=utf8only\nutf8=yes\n[dn]\n[ca]\n" + _CA)
        return path

    def _config(self, scratch):
        """An `openssl ca` configuration with a database of its own, so that issuing never depends on history."""
        (scratch / "index.txt").touch()
        (scratch / "index.txt.attr").write_text("unique_subject = no\n")
        path = scratch / "ca.cnf"
        path.write_text(
            f"[ca]\ndefault_ca=main\n[main]\ndatabase={scratch}/index.txt\nnew_certs_dir={scratch}\n"
            f"certificate={self.crt}\nprivate_key={self.key}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n"
            "string_mask=utf8only\n[any]\ncountryName=optional\norganizationName=optional\n"
            "organizationalUnitName=optional\ncommonName=supplied\n")
        return path

    def issue(self, name, subject, extensions, days=(-1, 30), algorithm="ec", chain=(), folder=None):
        """Signs a new key: "ec", "rsa" or as openssl names it ("rsa:1024"). `days` is (notBefore, notAfter) from now;
        `chain` are Cas appended to `crt`."""
        out = Path(folder or self.folder)
        scratch = out / f".{name}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        key, csr, leaf = out / f"{name}.key", scratch / "csr", out / f"{name}.crt"
        kind = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}.get(algorithm, [algorithm])
        openssl("req", "-new", "-utf8", "-newkey", *kind, "-nodes", "-keyout", key, "-out", csr, "-subj", subject,
                "-config", self._request_config())
        ext = scratch / "ext"
        ext.write_text(extensions + "\n")
        openssl("ca", "-batch", "-notext", "-utf8", "-preserveDN", "-config", self._config(scratch), "-in", csr,
                "-out", leaf, "-extfile", ext, "-startdate", _ca_time(days[0]), "-enddate", _ca_time(days[1]))
        if not chain:
            return Cert(leaf, key)
        whole = out / f"{name}.chain.crt"
        whole.write_bytes(b"".join([leaf.read_bytes(), *(ca.crt.read_bytes() for ca in chain)]))
        return Cert(whole, key, leaf)

    def client(self, name, **options):
        return self.issue(name, f"/O=Portcullis/OU=Tests/CN={name}", _LEAF + CLIENT_EKU, **options)

    def server(self, name, **options):
        return self.issue(name, f"/CN={name}", _LEAF + SERVER_EKU + "\n" + _SERVER_NAMES, **options)

    def crl(self, path, revoked=(), days=7, serials=()):
        """Writes a CRL which lists `revoked` (Certs of this Ca) and `serials` (numbers), nextUpdate `days` from now
        (may be negative)."""
        scratch = Path(f"{path}.scratch")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        config = self._config(scratch)
        until, since = _ca_time(30)[2:], _ca_time(-0.1)[2:]
        listed = [cert.serial().upper() for cert in revoked] + [f"{serial:032X}" for serial in serials]
        rows = [f"R\t{until}\t{since}\t{serial}\tunknown\t/CN=revoked\n" for serial in listed]
        (scratch / "index.txt").write_text("".join(rows))
        (scratch / "crlnumber").write_text(f"{int(time.time() * 1000):016X}\n")
        config.write_text(config.read_text().replace("[any]", f"crlnumber={scratch}/crlnumber\n[any]"))
        window = ["-crl_lastupdate", _ca_time(min(-1, days - 1)), "-crl_nextupdate", _ca_time(days)]
        fresh = Path(f"{path}.new")
        openssl("ca", "-gencrl", "-config", config, *window, "-out", fresh)
        fresh.rename(path)
        shutil.rmtree(scratch)
        return Path(path)

    def ocsp(self, cert, folder):
        """An OCSP response, DER, that calls `cert` (of this Ca) good; nextUpdate a day from now."""
        index, request, response = (Path(folder, f"{cert.key.stem}.ocsp-{part}") for part in ("index", "ask", "answer"))
        index.write_text(f"V\t401231235959Z\t\t{cert.serial().upper()}\tunknown\t/CN={cert.serial()}\n")
        openssl("ocsp", "-issuer", self.crt, "-cert", cert.leaf, "-no_nonce", "-reqout", request)
        openssl("ocsp", "-index", index, "-CA", self.crt, "-rsigner", self.crt, "-rkey", self.key, "-reqin", request,
                "-respout", response, "-ndays", "1")
        return response.read_bytes()

    def cert(self):
        return Cert(self.crt, self.key)

    def subject(self):
        return self.cert().subject()


class Misfits:
    """Certificates and CRLs of `pki` with one thing wrong in each, beyond those every test has."""

    def __init__(self, pki, folder):
        self.folder, ca = Path(folder), pki.ca
        self.folder.mkdir(parents=True, exist_ok=True)

        def leaf(name, more="", signer=ca, **options):
            return signer.issue(name, f"/O=Portcullis/OU=Misfits/CN={name}", _LEAF + CLIENT_EKU + more,
                                folder=self.folder, **options)

        def below(name, more="", leaf_more="", **options):
            """A good leaf of an intermediate which is not."""
            mid = Ca(self.folder / name, f"/O=Portcullis/CN=Intermediate {name}", parent=ca, more=more, **options)
            return mid, leaf(f"below-{name}", leaf_more, mid, chain=[mid])

        self.weak_rsa = leaf("weak-rsa", algorithm="rsa:1024")
        self.unknown_critical = leaf("unknown-critical", "\n1.3.6.1.4.1.99999.1=critical,ASN1:NULL")
        self.big = leaf("big", "\nnsComment=" + 6000 * "x")
        self.huge = leaf("huge", "\nnsComment=" + 40000 * "x")
        self.expired_mid, self.below_expired = below("expired-mid", days=(-20, -10))
        self.narrow_mid, self.outside_names = below(
            "narrow-mid", "nameConstraints=critical,permitted;DNS:example.org\n", "\nsubjectAltName=DNS:example.net")
        self.revoked_mid, self.below_revoked = below("revoked-mid")
        self.crl = ca.crl(self.folder / "ca.crl", [pki.revoked, self.revoked_mid.cert()])
        self.stale_crl = ca.crl(self.folder / "stale.crl", days=-1)
        self.other_crl = pki.other.crl(self.folder / "other.crl")
        self.forged = self._forged(pki.client)
        self.impostor = self._impostor(pki.client, pki.client_second)

    def _forged(self, cert):
        """`cert` with a bit of its signature turned."""
        der = bytearray(cert.der())
        der[-1] ^= 1
        path = self.folder / "forged.crt"
        path.write_bytes(openssl("x509", "-inform", "DER", data=bytes(der)))
        return Cert(path, cert.key)

    def _impostor(self, cert, other):
        """`cert` with a key file that names its public key beside the private one of `other`, so that clients take it:
        what they sign with it proves nothing."""
        mine, theirs = (openssl("ec", "-in", each.key, "-outform", "DER") for each in (cert, other))
        head = bytes.fromhex("30770201010420")  # RFC 5915, of P-256; the scalar follows
        assert mine.startswith(head) and theirs.startswith(head)
        end = len(head) + 32
        path = self.folder / "impostor.key"
        path.write_bytes(openssl("ec", "-inform", "DER", data=theirs[:end] + mine[end:]))
        return Cert(cert.crt, path)


class Pki:
    """What most tests need. `ca` signs everything that is good; `ca_crl` revokes `revoked`."""

    def __init__(self, folder):
        self.folder = folder = Path(folder)
        self.ca = Ca(folder / "ca", "/O=Portcullis/CN=Test Root")
        self.other = Ca(folder / "other", "/O=Elsewhere/CN=Other Root")
        self.mid = Ca(folder / "mid", "/O=Portcullis/CN=Test Intermediate", parent=self.ca)
        self.server = self.ca.server("server")
        self.server_rsa = self.ca.server("server-rsa", algorithm="rsa")
        self.server_next = self.ca.server("server-next")
        self.client = self.ca.client("client")
        self.client_second = self.ca.client("client-second")
        self.client_rsa = self.ca.client("client-rsa", algorithm="rsa")
        self.chained = self.mid.client("chained", chain=[self.mid])
        self.expired = self.ca.client("expired", days=(-20, -10))
        self.future = self.ca.client("future", days=(10, 20))
        self.revoked = self.ca.client("revoked")
        self.bad_eku = self.ca.issue("bad-eku", "/O=Portcullis/CN=bad-eku", _LEAF + SERVER_EKU)
        self.stranger = self.other.client("stranger")
        self.ca_crl = self.ca.crl(folder / "ca.crl", [self.revoked])

    @classmethod
    def shared(cls, work):
        """The set kept in `work`/pki: made by whichever test comes first, under a file lock."""
        work = Path(work)
        work.mkdir(parents=True, exist_ok=True)
        folder, stamp = work / "pki", work / "pki" / "stamp"
        with open(work / "pki.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made_by = os.path.getmtime(__file__)
            if stamp.exists() and time.time() - stamp.stat().st_mtime < _FRESH_SECONDS:
                recipe, pki = pickle.loads(stamp.read_bytes())
                if recipe == made_by:
                    return pki
            shutil.rmtree(folder, ignore_errors=True)
            pki = cls(folder)
            stamp.write_bytes(pickle.dumps((made_by, pki)))
            return pki
