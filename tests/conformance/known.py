"""Disagreements with the suites that are meant, each with its reason; and cases that ask what nobody asks here.

An entry that no longer fits any disagreement fails the run, so that the table does not outlive what it explains.
"""

import dataclasses
import fnmatch


@dataclasses.dataclass(frozen=True)
class Known:
    """Cases of `suite` whose id fits `pattern`, under `profile`, that come out `verdict` against the suite's word."""

    suite: str
    profile: str  # strict, compatible, or * for both
    pattern: str  # as fnmatch has it
    verdict: str  # accepted, refused or unknown
    why: str
    detail: str = "*"  # fits what `verify` gave as its rule; for groups of cases

    def fits(self, profile, case, verdict, detail):
        """Whether this entry explains how `case` came out."""
        return (case.suite == self.suite and self.profile in ("*", profile)
                and fnmatch.fnmatchcase(case.id, self.pattern)
                and self.verdict == verdict and fnmatch.fnmatchcase(detail, self.detail))


_NAME = "asks whether the certificate is of the server that the client meant; who judges clients means none"

NOT_APPLICABLE = {
    ("limbo", "rfc5280::ca-as-leaf-wrong-san"): _NAME,
    ("limbo", "webpki::san::mismatch-apex-subdomain-san"): _NAME,
    ("limbo", "webpki::san::mismatch-domain-san"): _NAME,
    ("limbo", "webpki::san::mismatch-subdomain-apex-san"): _NAME,
    ("limbo", "webpki::san::mismatch-subdomain-san"): _NAME,
    ("limbo", "webpki::san::wildcard-match-across-labels-san"): _NAME,
}

_CA_LEAF = ("the leaf is a CA whose keyUsage lacks digitalSignature: it cannot prove itself in a handshake (RFC 8446 "
            "4.4.2.4), whatever a path validation in general would say")
_CN = ("the leaf's common name is a domain that is not among its subjectAltNames; the CA/Browser Forum (7.1.4.3) "
       "forbids that, and the suite's own webpki::cn cases want it refused")
_LAX = "what a CA does wrong in issuing, without harm to whom it names; compatible leaves it to the CA"
_BR = "a rule of the CA/Browser Forum for certificates of the public web; only strict takes it over"
_DSA = "DSA is not verified here, neither in certificates nor in CRLs: such a CRL is refused when it is loaded"
_RELATIVE = ("distribution points named relative to the CRL's issuer, which RFC 5280 4.2.1.13 advises against, are not "
             "matched; without a CRL that covers it, a certificate is refused")
_INDIRECT = ("indirect CRLs (RFC 5280 5.2.5) are not used; without a CRL that covers it, a certificate is refused")

KNOWN = [
    # Both profiles.
    Known("limbo", "*", "pathlen::max-chain-depth-1-self-issued", "refused",
          "max_depth bounds certificates, self-issued ones too: it bounds what a stranger may have us look at. Path "
          "lengths that CAs set are counted as RFC 5280 has it"),
    Known("limbo", "*", "pathlen::validation-ignores-pathlen-in-leaf", "refused", _CA_LEAF),
    Known("limbo", "*", "rfc5280::ca-as-leaf", "refused", _CA_LEAF),

    # strict refuses more than the suite.
    Known("limbo", "strict", "crl::issuer-no-keyusage-extension", "refused",
          "RFC 5280 4.2.1.3 demands keyUsage of CAs; as the suite itself says, this case is about CRLs"),
    Known("limbo", "strict", "cve::cve-2024-0567", "refused",
          "the anchor is not self-signed and has no authorityKeyIdentifier, which rfc5280::aki::"
          "cross-signed-root-missing-aki wants refused. compatible finds the path"),
    Known("limbo", "strict", "rfc5280::eku::ee-without-eku", "refused",
          "webpki::eku::ee-without-eku wants the same refused; strict follows the stricter of the two"),
    Known("limbo", "strict", "webpki::nc::permitted-dns-match-noncritical", "refused",
          "rfc5280::nc::permitted-dns-match-noncritical wants it refused; strict follows the stricter of the two"),
    Known("limbo", "strict", "rfc5280::nc::permitted-dns-match-more", "refused", _CN),
    Known("limbo", "strict", "webpki::nc::nc-permits-dns-san-pattern", "refused", _CN),
    Known("limbo", "strict", "webpki::san::leftmost-wildcard-san", "refused", _CN),

    # compatible accepts more than the suite: that is what it is for.
    Known("limbo", "compatible", "rfc5280::aki::*", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::ski::*", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::serial::*", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::san::noncritical-with-empty-subject", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::san::underscore-dns", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::san::ip-in-dns", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::ca-empty-subject", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::leaf-ku-keycertsign", "accepted", _LAX),
    Known("limbo", "compatible", "rfc5280::nc::permitted-dns-match-noncritical", "accepted",
          "the constraint holds all the same, critical or not"),
    Known("limbo", "compatible", "rfc5280::nc::invalid-dnsname-leading-period", "accepted",
          "private CAs write constraints this way, and everyone reads them as any name below"),
    Known("limbo", "compatible", "rfc5280::nc::nc-permits-invalid-dns-san", "accepted",
          "'.example.com' is below 'example.com'; that it is no host name is strict's business"),
    Known("limbo", "compatible", "rfc5280::nc::not-allowed-in-ee-*", "accepted",
          "a constraint in a leaf constrains nobody"),
    Known("limbo", "compatible", "rfc5280::pc::ica-noncritical-pc", "accepted",
          "the constraint holds all the same, critical or not"),
    Known("limbo", "compatible", "rfc5280::root-*", "accepted",
          "an anchor is trusted because the operator says so (RFC 5280 6.1.1 d), not for its extensions"),
    Known("limbo", "compatible", "rfc5280::unknown-critical-extension-root", "accepted",
          "an anchor is trusted because the operator says so (RFC 5280 6.1.1 d), not for its extensions"),
    Known("limbo", "compatible", "webpki::forbidden-p192-leaf", "accepted",
          "the path is in order; the handshake fails all the same, for the library has no such curve"),
    Known("limbo", "compatible", "webpki::*", "accepted", _BR),

    # PKITS.
    Known("pkits", "strict", "4.13.3? *", "refused", "the leaf names a host and has no extKeyUsage, which the "
          "CA/Browser Forum demands of those; limbo's webpki::eku::ee-without-eku wants the same refused",
          detail="a host's name, and no extKeyUsage"),
    Known("pkits", "strict", "*", "refused", "the leaf is a CA; the CA/Browser Forum (7.1.2.7.8), and limbo's "
          "webpki::ca-as-leaf, want that refused", detail="a CA where a client's certificate belongs"),
    Known("pkits", "strict", "*", "refused", "basicConstraints, policyConstraints or inhibitAnyPolicy not critical, "
          "against RFC 5280 4.2.1.9, .11, .14; limbo wants the same refused",
          detail="extension that must be critical is not"),
    Known("pkits", "strict", "4.3.6 *", "refused", "unique identifiers, which the CA/Browser Forum forbids (7.1.2)"),
    Known("pkits", "*", "4.1.4 *", "unknown", _DSA),
    Known("pkits", "*", "4.1.5 *", "unknown", _DSA),
    Known("pkits", "*", "4.1.6 *", "unknown", _DSA),
    Known("pkits", "*", "4.4.4 *", "unknown", "the CRL is damaged: it is refused when it is loaded, and nobody is "
          "judged by what is left"),
    Known("pkits", "*", "4.4.14 *", "refused", "serial numbers -1 and 255 are taken for one, for not everybody writes "
          "the zero that DER puts before 255; strict refuses negative ones anyway"),
    Known("pkits", "*", "4.14.4 *", "refused", _RELATIVE),
    Known("pkits", "*", "4.14.5 *", "refused", _RELATIVE),
    Known("pkits", "*", "4.14.22 *", "refused", _INDIRECT),
    Known("pkits", "*", "4.14.24 *", "refused", _INDIRECT),
    Known("pkits", "*", "4.14.25 *", "refused", _INDIRECT),
    Known("pkits", "*", "4.14.28 *", "refused", _INDIRECT),
    Known("pkits", "*", "4.14.29 *", "refused", _INDIRECT),
    Known("pkits", "*", "4.14.30 *", "refused", _INDIRECT),
    Known("pkits", "*", "4.14.33 *", "refused", _INDIRECT),
]
