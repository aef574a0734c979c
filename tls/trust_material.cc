#include "tls/trust_material.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/identity.h"
#include "tls/path_checks.h"
#include "tls/pem.h"

namespace portcullis::tls {
namespace {

// Where the certificate does not say whose key has signed it, the signature does. Not asked of all:
// of ten thousand CAs that would be seconds at each reload.
bool IsSelfSigned(X509* x509) {
  if ((X509_get_extension_flags(x509) & EXFLAG_SS) == 0) return false;
  if (SaysSelfSigned(x509)) return true;
  const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(x509);
  return key != nullptr && X509_verify(x509, key.get()) == 1;
}

KnownCa Describe(X509* x509, Der der, bool in_bundle) {
  KnownCa ca;
  SHA256(der.data(), der.size(), ca.sha256.data());
  ca.der = std::move(der);
  const X509_NAME* const subject = X509_get_subject_name(x509);
  uint8_t* encoded = nullptr;
  const int size = i2d_X509_NAME(const_cast<X509_NAME*>(subject), &encoded);
  TLS_CHECK(size > 0);
  ca.subject.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  if (const ASN1_OCTET_STRING* const id = X509_get0_subject_key_id(x509); id != nullptr) {
    ca.key_id.assign(ASN1_STRING_get0_data(id), ASN1_STRING_get0_data(id) + ASN1_STRING_length(id));
  }
  ca.name_hash = compat::NameHash(subject);
  ca.not_before = TimeValue(X509_get0_notBefore(x509), INT64_MAX);
  ca.not_after = TimeValue(X509_get0_notAfter(x509), INT64_MIN);
  ca.is_self_signed = IsSelfSigned(x509);
  ca.may_issue = MayIssue(x509);
  ca.in_bundle = in_bundle;
  return ca;
}

std::string OddityOf(X509* x509, const KnownCa& ca, int64_t now) {
  std::vector<std::string> oddities;
  if (ca.not_after < now) oddities.emplace_back("expired");
  if (ca.not_before > now) oddities.emplace_back("not yet valid");
  if (!ca.may_issue) oddities.emplace_back("not a CA");
  if (IsWeakKey(x509)) oddities.emplace_back("weak key");
  // A self-signed one's own signature proves nothing to anybody.
  if (!ca.is_self_signed && IsWeakSignature(x509)) oddities.emplace_back("weak signature");
  return absl::StrJoin(oddities, ", ");
}

// Adds the certificates of one file; tells through `num_usable` how many of them are new and may
// issue.
absl::Status AddCertificates(const PemSource& source, bool in_bundle, int64_t now,
                             TrustMaterial& material, size_t& num_usable) {
  absl::StatusOr<std::vector<Der>> blocks =
      ReadPem(source.text, PemKind::kCertificate, source.origin);
  if (!blocks.ok()) return blocks.status();
  for (Der& der : *blocks) {
    CaSummary& summary = material.cas.emplace_back();
    summary.origin = source.origin;
    const uint8_t* in = der.data();
    const bssl::UniquePtr<X509> x509(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
    if (x509 == nullptr || in != der.data() + der.size() ||
        (X509_get_extension_flags(x509.get()) & EXFLAG_INVALID) != 0) {
      summary.oddity = "does not parse";
      continue;
    }
    KnownCa ca = Describe(x509.get(), std::move(der), in_bundle);
    summary.subject = NameText(X509_get_subject_name(x509.get()));
    summary.serial_hex = SerialText(X509_get0_serialNumber(x509.get()));
    summary.not_after = ca.not_after;
    summary.oddity = OddityOf(x509.get(), ca, now);
    const bool may_issue = ca.may_issue;
    if (!material.known.Add(std::move(ca))) {
      summary.oddity = "duplicate";
    } else if (may_issue) {
      ++num_usable;
    }
  }
  ERR_clear_error();
  return absl::OkStatus();
}

absl::Status NoUsableCa(const TrustMaterial& material) {
  std::vector<std::string> found;
  for (const CaSummary& ca : material.cas) {
    if (found.size() == 3) break;  // Enough to understand.
    found.push_back(absl::StrCat(ca.origin, ": '", ca.subject, "': ", ca.oddity));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("trust ", material.name, ": no usable CA (", absl::StrJoin(found, "; "), ")"));
}

// In the order of their digests, so that the order of files and blocks does not matter.
uint64_t EpochOf(const CaIndex& known) {
  std::vector<std::pair<bool, Sha256>> digests;
  for (uint32_t id = 0; id < known.size(); ++id) {
    digests.emplace_back(known.at(id).in_bundle, known.at(id).sha256);
  }
  std::sort(digests.begin(), digests.end());
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const auto& [in_bundle, digest] : digests) {
    const uint8_t kind = in_bundle ? 1 : 0;
    SHA256_Update(&context, &kind, 1);
    SHA256_Update(&context, digest.data(), digest.size());
  }
  Sha256 all;
  SHA256_Final(all.data(), &context);
  uint64_t epoch = 0;
  for (size_t i = 0; i < sizeof(epoch); ++i) epoch = epoch << 8 | all[i];
  return epoch;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TrustMaterial>> TrustMaterial::Parse(
    std::string name, const TrustSources& sources, const RevocationSpec& revocation,
    const OcspSpec& ocsp, int64_t now) {
  auto material = std::make_shared<TrustMaterial>();
  material->name = std::move(name);
  material->revocation_spec = revocation;
  material->ocsp_spec = ocsp;
  if (sources.cas.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("trust ", material->name, ": no CA given"));
  }
  size_t num_usable = 0;
  for (const PemSource& source : sources.cas) {
    if (absl::Status status = AddCertificates(source, true, now, *material, num_usable);
        !status.ok()) {
      return status;
    }
  }
  if (num_usable == 0) return NoUsableCa(*material);
  for (const PemSource& source : sources.intermediates) {
    if (absl::Status status = AddCertificates(source, false, now, *material, num_usable);
        !status.ok()) {
      return status;
    }
  }
  std::vector<CrlIssuer> issuers;
  for (uint32_t id = 0; id < material->known.size(); ++id) {
    issuers.push_back({.certificate_der = material->known.at(id).der});
  }
  absl::StatusOr<std::shared_ptr<const RevocationIndex>> index =
      RevocationIndex::Build(sources.crls, issuers, now);
  if (!index.ok()) return index.status();
  material->revocation = *std::move(index);
  material->epoch = EpochOf(material->known);
  return std::shared_ptr<const TrustMaterial>(std::move(material));
}

}  // namespace portcullis::tls
