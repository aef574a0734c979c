#include "tls/trust_material.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
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

// Notes that something comes into force, or has, at `from` and ends after `until`.
void NoteTerm(int64_t from, int64_t until, int64_t now, TrustMaterial& material) {
  if (from > now) material.same_until = std::min(material.same_until, from - 1);
  if (from <= now) material.same_from = std::max(material.same_from, from);
  if (until >= now) material.same_until = std::min(material.same_until, until);
  if (until < now) material.same_from = std::max(material.same_from, until + 1);
}

void NoteTerms(int64_t now, TrustMaterial& material) {
  for (uint32_t id = 0; id < material.known.size(); ++id) {
    const KnownCa& ca = material.known.at(id);
    NoteTerm(ca.not_before, ca.not_after, now, material);
  }
  for (const CrlSummary& crl : material.revocation->summaries()) {
    NoteTerm(crl.this_update, crl.next_update == 0 ? INT64_MAX : crl.next_update, now, material);
  }
}

// SHA-256 over numbers and texts, each text with its length, so that no two sequences read alike.
class SourceHash {
 public:
  SourceHash() { SHA256_Init(&hash_); }
  void Add(uint64_t number) {
    std::array<uint8_t, sizeof(number)> bytes;
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    SHA256_Update(&hash_, bytes.data(), bytes.size());
  }
  void Add(std::string_view text) {
    Add(uint64_t{text.size()});
    SHA256_Update(&hash_, text.data(), text.size());
  }
  void Add(const std::vector<PemSource>& sources) {
    Add(uint64_t{sources.size()});
    for (const PemSource& source : sources) {
      Add(source.origin);
      Add(source.text);
    }
  }
  [[nodiscard]] Sha256 Digest() {
    Sha256 digest;
    SHA256_Final(digest.data(), &hash_);
    return digest;
  }

 private:
  SHA256_CTX hash_;
};

}  // namespace

Sha256 TrustMaterial::DigestOf(const std::string& name, const TrustSources& sources,
                               const RevocationSpec& revocation, const OcspSpec& ocsp) {
  SourceHash hash;
  hash.Add(name);
  hash.Add(static_cast<uint64_t>(revocation.mode));
  hash.Add(static_cast<uint64_t>(revocation.scope));
  hash.Add(static_cast<uint64_t>(revocation.grace_s));
  hash.Add(static_cast<uint64_t>(ocsp.mode));
  hash.Add(ocsp.responder_url);
  hash.Add(uint64_t{ocsp.timeout_ms});
  hash.Add(sources.cas);
  hash.Add(sources.intermediates);
  hash.Add(uint64_t{sources.crls.size()});
  for (const CrlSource& source : sources.crls) {
    hash.Add(source.origin);
    hash.Add(source.bytes);
  }
  return hash.Digest();
}

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
  NoteTerms(now, *material);
  return std::shared_ptr<const TrustMaterial>(std::move(material));
}

}  // namespace portcullis::tls
