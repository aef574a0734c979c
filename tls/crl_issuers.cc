#include "tls/crl_issuers.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "tls/absl_text.h"
#include "tls/boringssl_compat.h"
#include "tls/name_canonical.h"
#include "tls/path_link.h"

namespace portcullis::tls {
namespace {

Bytes ContentOf(const ASN1_OCTET_STRING* string) {
  if (string == nullptr) return {};
  return {ASN1_STRING_get0_data(string), static_cast<size_t>(ASN1_STRING_length(string))};
}

// RFC 5280 4.2.1.3: a certificate without keyUsage may do everything.
bool MaySignCrls(X509* certificate) {
  return (X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) == 0 ||
         (X509_get_key_usage(certificate) & X509v3_KU_CRL_SIGN) != 0;
}

bool IsSignedBy(X509* certificate, EVP_PKEY* key) {
  const bool verifies = X509_verify(certificate, key) == 1;
  ERR_clear_error();
  return verifies;
}

}  // namespace

CrlIssuers::CrlIssuers(std::span<const CrlIssuer> certificates) {
  for (const CrlIssuer& issuer : certificates) {
    const Bytes der = issuer.certificate_der;
    const uint8_t* in = der.data();
    Known known;
    known.certificate.reset(
        d2i_X509(nullptr, &in, static_cast<long>(der.size())));  // NOLINT(google-runtime-int)
    if (known.certificate == nullptr) continue;
    known.key = compat::PublicKey(known.certificate.get());
    if (known.key == nullptr) continue;
    known.id = MakeIssuerId(known.certificate.get());
    known.issuer = CanonicalName(*X509_get_issuer_name(known.certificate.get()));
    std::string name = CanonicalName(*X509_get_subject_name(known.certificate.get()));
    by_name_[std::move(name)].push_back(std::move(known));
  }
  ERR_clear_error();
}

CrlIssuers::Signer CrlIssuers::Find(const Crl& crl, std::string_view issuer) const {
  Signer signer;
  for (const Known& known : Named(issuer)) {
    const Bytes key_id = ContentOf(X509_get0_subject_key_id(known.certificate.get()));
    if (!crl.authority_key_id.empty() && !key_id.empty() && !Equal(crl.authority_key_id, key_id)) {
      continue;
    }
    if (!MaySignCrls(known.certificate.get())) {
      if (signer.outcome == Outcome::kUnknown) signer.outcome = Outcome::kMayNotSign;
      continue;
    }
    signer.signature = CheckSignature(crl.signature_algorithm, crl.tbs, crl.signature, *known.key);
    if (signer.signature != SignatureResult::kGood) {
      signer.outcome = Outcome::kRefused;
      continue;
    }
    signer.outcome = Outcome::kVerified;
    signer.id = known.id;
    signer.kin = KinOf(known, issuer);
    break;
  }
  return signer;
}

bool CrlIssuers::IsRevoked(const IssuerId& id, std::string_view name,
                           absl::FunctionRef<bool(const PathLink&)> is_listed) const {
  return std::ranges::all_of(Named(name), [&](const Known& known) {
    const bool is_signer = known.id == id && MaySignCrls(known.certificate.get());
    return !is_signer || IsRevokedByIssuer(known, is_listed);
  });
}

bool CrlIssuers::IsRevokedByIssuer(const Known& known,
                                   absl::FunctionRef<bool(const PathLink&)> is_listed) const {
  X509* const certificate = known.certificate.get();
  return std::ranges::any_of(Named(known.issuer), [&](const Known& parent) {
    // The signature last: most are not listed, and looking that up costs next to nothing.
    return parent.id != known.id && is_listed(MakeLink(certificate, parent.id)) &&
           IsSignedBy(certificate, parent.key.get());
  });
}

std::vector<IssuerId> CrlIssuers::KinOf(const Known& signer, std::string_view name) const {
  std::vector<IssuerId> kin;
  for (const Known& other : Named(name)) {
    if (other.id == signer.id || std::ranges::find(kin, other.id) != kin.end()) continue;
    if (StandUnderOneKey(signer, other)) kin.push_back(other.id);
  }
  return kin;
}

// One has signed the other, or some key has signed both.
bool CrlIssuers::StandUnderOneKey(const Known& signer, const Known& other) const {
  X509* const first = signer.certificate.get();
  X509* const second = other.certificate.get();
  if (IsSignedBy(first, other.key.get()) || IsSignedBy(second, signer.key.get())) return true;
  if (signer.issuer != other.issuer) return false;
  return std::ranges::any_of(Named(signer.issuer), [&](const Known& parent) {
    return IsSignedBy(first, parent.key.get()) && IsSignedBy(second, parent.key.get());
  });
}

const std::vector<CrlIssuers::Known>& CrlIssuers::Named(std::string_view name) const {
  static const std::vector<Known>* const kNone = new std::vector<Known>();
  const auto found = by_name_.find(AbslText(name));
  return found == by_name_.end() ? *kNone : found->second;
}

}  // namespace portcullis::tls
