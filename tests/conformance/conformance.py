#!/usr/bin/env python3
"""Runs `portcullis verify` over public path-validation suites and compares its verdicts with theirs.

    conformance.py --portcullis build/release/portcullis --limbo limbo.json --pkits nist-pkits/

Prints for each suite and profile how many verdicts agree, and each that does not, with the reason's name and, where
known.py has one, why. Fails when, under `strict`, anything is accepted that must be rejected and known.py does not
say why, when a disagreement of any kind has no reason written down, and when a reason has nothing left to explain.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import known
import suites

PROFILES = ("strict", "compatible")
TIMEOUT_S = 20

Outcome = collections.namedtuple("Outcome", "accepted reason detail")


def write(folder, name, texts):
    """Writes PEM texts into one file each; their paths."""
    paths = []
    for index, text in enumerate(texts):
        path = pathlib.Path(folder, f"{name}{index}.pem")
        path.write_text(text)
        paths.append(str(path))
    return paths


def judge(portcullis, profile, case):
    """What `portcullis verify` says of `case`. `accepted` is None when it could not tell, which agrees with nothing."""
    with tempfile.TemporaryDirectory(prefix="portcullis-conformance-") as folder:
        command = [portcullis, "verify", "--json", "--profile", profile, "--time", str(case.time),
                   "--revocation", "require" if case.needs_crls else "soft"]
        if case.max_depth is not None:
            command += ["--max-depth", str(case.max_depth)]
        # A client sends the intermediates. Where a case has CRLs, the operator, who gives those, knows their CAs too:
        # CRLs are verified when they are loaded, before any client comes.
        known_cas = case.untrusted if case.crls else []
        for flag, texts in (("trust", case.trusted), ("untrusted", case.untrusted), ("intermediate", known_cas),
                            ("crl", case.crls)):
            for path in write(folder, flag, texts):
                command += [f"--{flag}", path]
        command += write(folder, "leaf", [case.leaf])
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"{case.id}: exit status {done.returncode}: {done.stderr}")
    report = json.loads(done.stdout)
    if (report["verdict"] == "accepted") != (done.returncode == 0):
        raise RuntimeError(f"{case.id}: verdict {report['verdict']}, exit status {done.returncode}")
    if done.returncode == 2:
        return Outcome(None, "unknown", report["error"])
    return Outcome(done.returncode == 0, report["reason"], report["detail"] or report["x509_error"])


def word(outcome):
    """The verdict as known.py writes it."""
    return {True: "accepted", False: "refused", None: "unknown"}[outcome.accepted]


class Tally:
    """How one suite came out under one profile."""

    def __init__(self, suite, profile):
        self.suite, self.profile = suite, profile
        self.agreed = {True: 0, False: 0}  # by what the suite demands
        self.total = {True: 0, False: 0}
        self.not_applicable = 0
        self.disagreements = []  # (case, outcome, why)
        self.faults = []

    def add(self, case, outcome, table):
        """Counts a case; which entries of `table` explained it."""
        self.total[case.must_accept] += 1
        if outcome.accepted == case.must_accept:
            self.agreed[case.must_accept] += 1
            return []
        used = [entry for entry in table if entry.fits(self.profile, case, word(outcome), outcome.detail)]
        self.disagreements.append((case, outcome, used[0].why if used else ""))
        if not used:
            must = "accepted" if case.must_accept else "rejected"
            self.faults.append(f"{self.suite}, {self.profile}: {case.id}: must be {must} and is {word(outcome)} "
                               f"({outcome.reason}: {outcome.detail}), and no reason is written down")
        return used

    def lines(self):
        """The summary line, and one for each disagreement."""
        agreed, total = sum(self.agreed.values()), sum(self.total.values())
        wrongly = sum(outcome.accepted is True for _, outcome, _ in self.disagreements)
        yield (f"{self.suite}, {self.profile}: {agreed} of {total} agree ({self.agreed[True]} of {self.total[True]} to "
               f"accept, {self.agreed[False]} of {self.total[False]} to reject); accepted against the suite: "
               f"{wrongly}; not applicable: {self.not_applicable}")
        for case, outcome, why in self.disagreements:
            why = why or "NO REASON WRITTEN DOWN"
            yield f"  {case.id}: {word(outcome)}: {outcome.reason} ({outcome.detail}): {why}"


def run(portcullis, cases, profiles=PROFILES, table=None, not_applicable=None):
    """Judges every case under every profile. Returns the tallies and the faults."""
    table = known.KNOWN if table is None else table
    not_applicable = known.NOT_APPLICABLE if not_applicable is None else not_applicable
    tallies, used = [], set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for suite in dict.fromkeys(case.suite for case in cases):
            for profile in profiles:
                tally = Tally(suite, profile)
                mine = [case for case in cases if case.suite == suite]
                fit = [case for case in mine if not case.not_applicable and (suite, case.id) not in not_applicable]
                tally.not_applicable = len(mine) - len(fit)
                for case, outcome in zip(fit, pool.map(lambda case, p=profile: judge(portcullis, p, case), fit)):
                    used.update(tally.add(case, outcome, table))
                tallies.append(tally)
    faults = [fault for tally in tallies for fault in tally.faults]
    ran = {case.suite for case in cases}
    ids = {(case.suite, case.id) for case in cases}
    for entry in table:
        if entry.suite in ran and set(profiles) >= set(PROFILES) and entry not in used:
            faults.append(f"{entry.suite}, {entry.profile}: {entry.pattern}: a reason that explains nothing")
    faults += [f"{suite}: {name}: not applicable, but there is no such case"
               for suite, name in not_applicable if suite in ran and (suite, name) not in ids]
    return tallies, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--portcullis", required=True, metavar="PROGRAM")
    parser.add_argument("--limbo", metavar="JSON", help="x509-limbo's cases, with client certificates")
    parser.add_argument("--pkits", metavar="FOLDER", help="NIST PKITS: certs/, crls/ and pkits_testcases-inl.h")
    parser.add_argument("--profile", choices=PROFILES, help="only one profile")
    args = parser.parse_args()
    cases = []
    if args.limbo:
        cases += suites.read_limbo(args.limbo, int(time.time()))
    if args.pkits:
        cases += suites.read_pkits(args.pkits)
    if not cases:
        parser.error("--limbo or --pkits is needed")
    tallies, faults = run(args.portcullis, cases, (args.profile,) if args.profile else PROFILES)
    for tally in tallies:
        print("\n".join(tally.lines()), end="\n\n")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
