#!/usr/bin/env python3
"""The public suites themselves, where someone has them: PORTCULLIS_LIMBO names x509-limbo's JSON (with leafs made for
clients), PORTCULLIS_PKITS the folder of NIST PKITS. With neither, the test is skipped (exit code 77, so that ctest says
so).

Usage: public_suites_test.py PORTCULLIS.
"""

import os
import pathlib
import subprocess
import sys

SUITES = {"--limbo": "PORTCULLIS_LIMBO", "--pkits": "PORTCULLIS_PKITS"}


def main():
    given = [argument for flag, variable in SUITES.items() if (path := os.environ.get(variable))
             for argument in (flag, os.path.abspath(path))]
    if not given:
        print(f"skipped: none of {', '.join(SUITES.values())} says where a suite is")
        return 77
    script = pathlib.Path(__file__).with_name("conformance.py")
    return subprocess.run([sys.executable, script, "--portcullis", sys.argv[1], *given], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
