// IssuerId: whose certificates and CRLs are whose, when the certificates themselves are gone. Pure
// functions, any thread.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "tls/verdict.h"

namespace portcullis::tls {

// MakeIssuerId computes the identity of an issuer from its certificate: eight octets of a hash of
// its canonical subject name, then 24 of one of that name and its SubjectPublicKeyInfo. All zero if
// the certificate does not parse.
[[nodiscard]] IssuerId MakeIssuerId(std::span<const uint8_t> certificate_der);
[[nodiscard]] IssuerId MakeIssuerId(const X509* certificate);

// NamePart returns what ids of all issuers of one name share.
[[nodiscard]] uint64_t NamePart(const IssuerId& id);
// NamePartOf returns the same, from the canonical form of the name (tls::CanonicalName).
[[nodiscard]] uint64_t NamePartOf(std::string_view canonical_name);

// NameHash64 hashes the DER of a distribution point's fullName (one GeneralName), for PathLink; a
// directoryName by its canonical form.
[[nodiscard]] uint64_t NameHash64(std::span<const uint8_t> general_name_der);
// RelativeNameHash64 hashes a nameRelativeToCRLIssuer (the content of the
// RelativeDistinguishedName) as the fullName that it stands for. `issuer_der` is the CRL issuer's
// Name with its tag.
[[nodiscard]] uint64_t RelativeNameHash64(std::span<const uint8_t> relative_name,
                                          std::span<const uint8_t> issuer_der);

}  // namespace portcullis::tls
