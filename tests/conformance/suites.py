"""Public path-validation suites, read into cases that `portcullis verify` can judge.

A suite is given by its path and never copied into the repository. Nothing here depends on anything beyond Python.
"""

import base64
import dataclasses
import datetime
import json
import pathlib
import re
import textwrap

# What PKITS was made for: its certificates hold from 2010 to 2030, its CRLs likewise.
PKITS_TIME = int(datetime.datetime(2011, 4, 15, tzinfo=datetime.timezone.utc).timestamp())


@dataclasses.dataclass
class Case:
    """A chain, what it is to be judged by, and what the suite says of it."""

    suite: str
    id: str
    must_accept: bool
    trusted: list  # of PEM
    leaf: str
    untrusted: list = dataclasses.field(default_factory=list)
    crls: list = dataclasses.field(default_factory=list)  # PEM
    time: int = 0
    max_depth: int | None = None
    needs_crls: bool = False  # whether a certificate without a CRL is to be refused
    not_applicable: str = ""  # why it cannot be put to a proxy's verifier; empty: it can


def to_pem(der, label):
    """DER as PEM."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def read_limbo(path, default_time):
    """The cases of an x509-limbo JSON file. Those without a validation time are judged at `default_time`."""
    cases = []
    for case in json.loads(pathlib.Path(path).read_text())["testcases"]:
        stated = case.get("validation_time")
        time = default_time
        if stated:
            time = int(datetime.datetime.fromisoformat(stated.replace("Z", "+00:00")).timestamp() // 1)
        cases.append(Case(
            suite="limbo", id=case["id"], must_accept=case["expected_result"] == "SUCCESS",
            trusted=case["trusted_certs"], leaf=case["peer_certificate"],
            untrusted=case.get("untrusted_intermediates") or [], crls=case.get("crls") or [], time=time,
            max_depth=case.get("max_chain_depth"), needs_crls=bool(case.get("crls"))))
    return cases


def read_pkits(folder):
    """The cases of NIST PKITS: a folder with certs/*.crt, crls/*.crl and the table pkits_testcases-inl.h, as several
    public code bases carry it."""
    folder = pathlib.Path(folder)
    table = (folder / "pkits_testcases-inl.h").read_text()
    cases = []
    # A test is everything up to where it is run.
    for body in table.split("this->RunTest(certs, crls, info);")[:-1]:
        certs = re.findall(r"const char\* const certs\[\] = \{(.*?)\};", body, re.S)[-1]
        crls = re.findall(r"const char\* const crls\[\] = \{(.*?)\};", body, re.S)[-1]
        number = re.findall(r'info\.test_number = "([\d.]+)";', body)[-1]
        accept = re.findall(r"info\.should_validate = (true|false);", body)[-1] == "true"
        title = re.findall(r"Section\d+(\w+)\)", body)[-1]
        names = re.findall(r'"(\w+)"', certs)
        pems = [to_pem((folder / "certs" / f"{name}.crt").read_bytes(), "CERTIFICATE") for name in names]
        inputs = re.findall(r"info\.SetInitial(\w+)\(", body[body.rfind("PkitsTestInfo info;"):])
        cases.append(Case(
            suite="pkits", id=f"{number} {title}", must_accept=accept, trusted=pems[:1], leaf=pems[-1],
            untrusted=pems[-2:0:-1], time=PKITS_TIME, needs_crls=True,
            crls=[to_pem((folder / "crls" / f"{name}.crl").read_bytes(), "X509 CRL")
                  for name in re.findall(r'"(\w+)"', crls)],
            not_applicable=f"sets {', '.join(inputs)}: a caller's input that a proxy does not offer" if inputs else ""))
    return cases
