#!/usr/bin/env python3
"""The conformance script on small suites of its own, so that it works when someone brings the real ones.

Usage: conformance_test.py PORTCULLIS SCRATCH_FOLDER. Both suites' formats are generated: certificates that must be
accepted and ones that must be rejected, and tables that explain too little, too much, and just enough.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

import conformance
import suites
from known import Known

PORTCULLIS, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])

CONFIG = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = DNS:client.example
authorityKeyIdentifier = keyid
[server]
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:client.example
authorityKeyIdentifier = keyid
[bare]
keyUsage = critical,digitalSignature
authorityKeyIdentifier = keyid
"""


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True).stdout


class Authority:
    """A root, and what it issued: PEM by name."""

    def __init__(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "config").write_text(CONFIG)
        openssl("req", "-x509", "-config", folder / "config", "-extensions", "root", "-subj", "/CN=root", "-days", "30",
                "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "root.key",
                "-out", folder / "root.pem")
        self.root = (folder / "root.pem").read_text()

    def issue(self, extensions):
        """A leaf with a section of CONFIG as its extensions."""
        key, request, out = (self.folder / f"{extensions}.{end}" for end in ("key", "csr", "pem"))
        subject = "/CN=bare.example" if extensions == "bare" else "/CN=client"  # hosts need more under strict
        openssl("req", "-config", self.folder / "config", "-subj", subject, "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.folder / "root.pem", "-CAkey", self.folder / "root.key",
                "-set_serial", "7", "-days", "20", "-extfile", self.folder / "config", "-extensions", extensions,
                "-out", out)
        return out.read_text()

    def crl(self, revoked):
        """A DER CRL, with serial 7 on it or not."""
        index = self.folder / "index.txt"
        index.write_text("R\t491231000000Z\t260101000000Z\t07\tunknown\t/CN=client\n" if revoked else "")
        (self.folder / "ca.config").write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={index}\ndefault_md=sha256\n")
        pem = self.folder / "crl.pem"
        openssl("ca", "-gencrl", "-config", self.folder / "ca.config", "-keyfile", self.folder / "root.key", "-cert",
                self.folder / "root.pem", "-crldays", "20", "-out", pem)
        return openssl("crl", "-in", pem, "-outform", "DER")


def limbo_case(name, authority, leaf, expected):
    return {"id": name, "expected_result": expected, "trusted_certs": [authority.root], "peer_certificate": leaf,
            "untrusted_intermediates": [], "crls": [], "validation_time": None, "max_chain_depth": None}


class Conformance(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        # Everything holds from the second it is made in, for days; whenever that will have been, an hour on is within.
        cls.judged_at = int(time.time()) + 3600
        cls.authority = Authority(FOLDER / "authority")
        other = Authority(FOLDER / "other")
        leaf, bare = cls.authority.issue("leaf"), cls.authority.issue("bare")
        cases = [limbo_case("good", cls.authority, leaf, "SUCCESS"),
                 limbo_case("untrusted", other, leaf, "FAILURE"),
                 limbo_case("server", cls.authority, cls.authority.issue("server"), "FAILURE"),
                 limbo_case("bare", cls.authority, bare, "FAILURE")]
        cls.limbo = FOLDER / "limbo.json"
        cls.limbo.write_text(json.dumps({"testcases": cases}))

    def cases(self):
        return suites.read_limbo(self.limbo, self.judged_at)

    def run_limbo(self, table, not_applicable=None):
        return conformance.run(PORTCULLIS, self.cases(), table=table, not_applicable=not_applicable or {})

    def test_counts_by_what_must_be(self):
        (strict, compatible), _ = self.run_limbo([])
        self.assertEqual((strict.profile, strict.agreed, strict.total), ("strict", {True: 1, False: 3},
                                                                         {True: 1, False: 3}))
        self.assertEqual((compatible.profile, compatible.agreed), ("compatible", {True: 1, False: 2}))
        self.assertIn("limbo, compatible: 3 of 4 agree", next(compatible.lines()))

    def test_a_disagreement_without_a_reason_is_a_fault(self):
        _, faults = self.run_limbo([])
        self.assertEqual(len(faults), 1)
        self.assertIn("limbo, compatible: bare: must be rejected and is accepted", faults[0])

    def test_a_reason_written_down_is_enough_and_one_too_many_is_a_fault(self):
        why = Known("limbo", "compatible", "ba*", "accepted", "compatible takes leafs without names")
        (_, compatible), faults = self.run_limbo([why])
        self.assertEqual(faults, [])
        self.assertIn("compatible takes leafs without names", "\n".join(compatible.lines()))
        _, faults = self.run_limbo([why, Known("limbo", "strict", "good", "refused", "it was so once")])
        self.assertEqual(len(faults), 1)
        self.assertIn("explains nothing", faults[0])

    def test_cases_that_ask_something_else_are_left_out(self):
        tallies, faults = self.run_limbo([], {("limbo", "bare"): "why not"})
        self.assertEqual([tally.not_applicable for tally in tallies], [1, 1])
        self.assertEqual(faults, [])
        _, faults = self.run_limbo([], {("limbo", "bare"): "", ("limbo", "gone"): ""})
        self.assertIn("no such case", faults[0])

    def test_could_not_tell_agrees_with_nothing(self):
        cases = self.cases()[1:2]
        cases[0].trusted = ["no PEM"]
        (strict, _), faults = conformance.run(PORTCULLIS, cases, table=[], not_applicable={})
        self.assertEqual(strict.agreed[False], 0)
        self.assertIn("must be rejected and is unknown", faults[0])

    def test_reads_pkits_with_its_crls(self):
        folder = FOLDER / "pkits"
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("certs", "crls"):
            (folder / part).mkdir(parents=True)
        source = self.authority.folder
        for name in ("root", "leaf"):
            (folder / "certs" / f"{name}.crt").write_bytes(
                openssl("x509", "-in", source / f"{name}.pem", "-outform", "DER"))
        (folder / "crls" / "clean.crl").write_bytes(self.authority.crl(revoked=False))
        (folder / "crls" / "revoked.crl").write_bytes(self.authority.crl(revoked=True))

        def test(number, title, crl, verdict, more=""):
            return (f'WRAPPED_TYPED_TEST_P(Pkits, Section9{title}) {{\n  const char* const certs[] = {{"root",\n'
                    f'      "leaf"}};\n  const char* const crls[] = {{"{crl}"}};\n  PkitsTestInfo info;\n'
                    f'  info.test_number = "{number}";\n  info.should_validate = {verdict};\n{more}\n'
                    f'  this->RunTest(certs, crls, info);\n}}\n')
        (folder / "pkits_testcases-inl.h").write_text(
            test("9.1", "Valid", "clean", "true") + test("9.2", "Revoked", "revoked", "false")
            + test("9.3", "Explicit", "clean", "true", "  info.SetInitialExplicitPolicy(true);"))
        cases = suites.read_pkits(folder)
        self.assertEqual([case.id for case in cases], ["9.1 Valid", "9.2 Revoked", "9.3 Explicit"])
        for case in cases:
            self.assertEqual(case.time, suites.PKITS_TIME)
            case.time = self.judged_at
        tallies, faults = conformance.run(PORTCULLIS, cases, table=[], not_applicable={})
        self.assertEqual(faults, [])
        for tally in tallies:
            self.assertEqual((tally.agreed, tally.not_applicable), ({True: 1, False: 1}, 1))

    def test_the_command_line_fails_on_what_is_not_written_down(self):
        script = pathlib.Path(conformance.__file__)
        done = subprocess.run([sys.executable, script, "--portcullis", PORTCULLIS, "--limbo", self.limbo],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("limbo, strict: 4 of 4 agree", done.stdout)
        self.assertIn("bare: must be rejected and is accepted", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
