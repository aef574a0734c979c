// CrlIssuers: the certificates which may have signed a CRL, and who of them did. Used while an
// index is built; one thread.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"

#include "tls/crl_parser.h"
#include "tls/issuer_id.h"
#include "tls/signature_check.h"
#include "tls/verdict.h"

namespace portcullis::tls {

// A certificate of the trust: an anchor or a known intermediate, DER.
struct CrlIssuer {
  std::span<const uint8_t> certificate_der;
};

class CrlIssuers {
 public:
  // Certificates that do not parse are passed over: they issue nothing.
  explicit CrlIssuers(std::span<const CrlIssuer> certificates);

  enum class Outcome : uint8_t {
    kVerified,
    kUnknown,     // none has this name, or this name and key identifier
    kMayNotSign,  // those that have it are not allowed to sign CRLs (keyUsage)
    kRefused,     // one that may have signed it has not, or by an algorithm that proves nothing
  };
  struct Signer {
    Outcome outcome = Outcome::kUnknown;
    SignatureResult signature = SignatureResult::kGood;  // kRefused: why
    IssuerId id{};                                       // kVerified: the signer's
    // kVerified: issuers of the same name, but with other keys, for whom the signer may speak: for
    // CRLs are of a name, and the certificates of both stand under one and the same key (RFC 5280
    // 6.3.3 f).
    std::vector<IssuerId> kin;
  };

  // Find verifies `crl`, whose issuer has the canonical name `issuer`.
  [[nodiscard]] Signer Find(const Crl& crl, std::string_view issuer) const;

  // IsRevoked tells whether every certificate of the signer `id`, whose canonical name is `name`,
  // is revoked by its own issuer. Self-signed ones never are: there is nobody above them to say so.
  // `is_listed` tells whether a CRL lists a certificate.
  [[nodiscard]] bool IsRevoked(const IssuerId& id, std::string_view name,
                               absl::FunctionRef<bool(const PathLink&)> is_listed) const;

 private:
  struct Known {
    bssl::UniquePtr<X509> certificate;
    bssl::UniquePtr<EVP_PKEY> key;
    IssuerId id{};
    std::string issuer;  // canonical
  };

  [[nodiscard]] bool IsRevokedByIssuer(const Known& known,
                                       absl::FunctionRef<bool(const PathLink&)> is_listed) const;
  [[nodiscard]] std::vector<IssuerId> KinOf(const Known& signer, std::string_view name) const;
  [[nodiscard]] bool StandUnderOneKey(const Known& signer, const Known& other) const;
  [[nodiscard]] const std::vector<Known>& Named(std::string_view name) const;

  absl::flat_hash_map<std::string, std::vector<Known>> by_name_;  // by canonical subject
};

}  // namespace portcullis::tls
