// TrustMaterial::Parse: CA bundles and CRLs from PEM to the immutable DER that workers build their
// verifiers from.
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tls/client_verifier.h"
#include "tls/identity.h"
#include "tls/pem.h"

namespace portcullis::tls {
namespace {

using Digest = std::array<uint8_t, SHA256_DIGEST_LENGTH>;

Digest DigestOf(const Der& der) {
  Digest digest;
  SHA256(der.data(), der.size(), digest.data());
  return digest;
}

std::string OddityOf(X509* ca, int64_t now) {
  if (TimeValue(X509_get0_notAfter(ca), now) < now) return "expired";
  if (TimeValue(X509_get0_notBefore(ca), now) > now) return "not yet valid";
  if (X509_check_ca(ca) == 0) return "not a CA";
  return {};
}

absl::Status AddCas(const PemSource& source, int64_t now, std::set<Digest>& seen,
                    TrustMaterial& material) {
  absl::StatusOr<std::vector<Der>> blocks =
      ReadPem(source.text, PemKind::kCertificate, source.origin);
  if (!blocks.ok()) return blocks.status();
  size_t num_usable = 0;
  for (Der& der : *blocks) {
    CaSummary summary;
    summary.origin = source.origin;
    const uint8_t* in = der.data();
    const bssl::UniquePtr<X509> ca(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
    if (ca == nullptr || in != der.data() + der.size()) {
      summary.oddity = "does not parse";
      material.cas.push_back(std::move(summary));
      continue;
    }
    ++num_usable;
    summary.subject = NameText(X509_get_subject_name(ca.get()));
    summary.not_after = TimeValue(X509_get0_notAfter(ca.get()), 0);
    if (seen.insert(DigestOf(der)).second) {
      summary.oddity = OddityOf(ca.get(), now);
      material.anchors_der.push_back(std::move(der));
    } else {
      summary.oddity = "duplicate";
    }
    material.cas.push_back(std::move(summary));
  }
  ERR_clear_error();
  if (num_usable == 0) {
    return absl::InvalidArgumentError(absl::StrCat(source.origin, ": no CA in it parses"));
  }
  return absl::OkStatus();
}

// Latest nextUpdate of each issuer's CRLs: an older CRL beside a newer one does not count.
using NextUpdates = std::map<std::string, int64_t>;

absl::Status AddCrls(const PemSource& source, std::set<Digest>& seen, NextUpdates& next_updates,
                     TrustMaterial& material) {
  absl::StatusOr<std::vector<Der>> blocks = ReadPem(source.text, PemKind::kCrl, source.origin);
  if (!blocks.ok()) return blocks.status();
  size_t number = 0;
  for (Der& der : *blocks) {
    ++number;
    const uint8_t* in = der.data();
    const bssl::UniquePtr<X509_CRL> crl(d2i_X509_CRL(nullptr, &in, static_cast<long>(der.size())));
    // Unlike a CA, a CRL that cannot be read must stop the load: leaving it out would let revoked
    // clients in.
    if (crl == nullptr || in != der.data() + der.size()) {
      return LibraryError(source.origin, absl::StrCat("CRL ", number, " does not parse"));
    }
    if (const int64_t next = TimeValue(X509_CRL_get0_nextUpdate(crl.get()), 0); next != 0) {
      int64_t& latest = next_updates[NameText(X509_CRL_get_issuer(crl.get()))];
      latest = std::max(latest, next);
    }
    if (seen.insert(DigestOf(der)).second) material.crls_der.push_back(std::move(der));
  }
  return absl::OkStatus();
}

// The sets are sorted, so the order of files and blocks does not matter.
uint64_t EpochOf(const std::set<Digest>& anchors, const std::set<Digest>& crls) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const Digest& digest : anchors) SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Update(&context, "crls", 4);
  for (const Digest& digest : crls) SHA256_Update(&context, digest.data(), digest.size());
  Digest all;
  SHA256_Final(all.data(), &context);
  uint64_t epoch = 0;
  for (size_t i = 0; i < sizeof(epoch); ++i) epoch = epoch << 8 | all[i];
  return epoch;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TrustMaterial>> TrustMaterial::Parse(
    std::string name, std::span<const PemSource> cas, std::span<const PemSource> crls,
    int64_t now) {
  auto material = std::make_shared<TrustMaterial>();
  material->name = std::move(name);
  if (cas.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("trust ", material->name, ": no CA given"));
  }
  std::set<Digest> anchors_seen;
  for (const PemSource& source : cas) {
    if (absl::Status status = AddCas(source, now, anchors_seen, *material); !status.ok()) {
      return status;
    }
  }
  std::set<Digest> crls_seen;
  NextUpdates next_updates;
  for (const PemSource& source : crls) {
    if (absl::Status status = AddCrls(source, crls_seen, next_updates, *material); !status.ok()) {
      return status;
    }
  }
  for (const auto& [issuer, next] : next_updates) {
    if (material->crl_next_update == 0 || next < material->crl_next_update) {
      material->crl_next_update = next;
    }
  }
  material->epoch = EpochOf(anchors_seen, crls_seen);
  return std::shared_ptr<const TrustMaterial>(std::move(material));
}

}  // namespace portcullis::tls
