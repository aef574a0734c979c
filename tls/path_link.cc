#include "tls/path_link.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "tls/boringssl_compat.h"
#include "tls/identity.h"

namespace portcullis::tls {
namespace {

std::vector<uint8_t> SerialContent(const ASN1_INTEGER* serial) {
  const int size = i2c_ASN1_INTEGER(serial, nullptr);
  if (size <= 0) return {};
  std::vector<uint8_t> content(static_cast<size_t>(size));
  uint8_t* out = content.data();
  i2c_ASN1_INTEGER(serial, &out);
  return content;
}

void AddFullNames(const DIST_POINT& point, std::vector<uint64_t>& hashes) {
  if (point.distpoint == nullptr || point.distpoint->type != 0) return;
  const GENERAL_NAMES* const names = point.distpoint->name.fullname;
  for (size_t i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    uint8_t* encoded = nullptr;
    const int size = i2d_GENERAL_NAME(sk_GENERAL_NAME_value(names, i), &encoded);
    if (size <= 0) continue;
    const bssl::UniquePtr<uint8_t> owner(encoded);
    hashes.push_back(NameHash64({encoded, static_cast<size_t>(size)}));
  }
}

}  // namespace

PathLink MakeLink(X509* certificate, const IssuerId& issuer) {
  PathLink link;
  link.issuer = issuer;
  link.serial = SerialContent(X509_get0_serialNumber(certificate));
  link.not_after = TimeValue(X509_get0_notAfter(certificate), INT64_MIN);
  link.is_ca = X509_check_ca(certificate) != 0;
  link.issuer_name_hash = compat::NameHash(X509_get_issuer_name(certificate));
  const bssl::UniquePtr<CRL_DIST_POINTS> points(static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr)));
  for (size_t i = 0; i < sk_DIST_POINT_num(points.get()); ++i) {
    AddFullNames(*sk_DIST_POINT_value(points.get(), i), link.distribution_points);
  }
  ERR_clear_error();
  return link;
}

LinksAnswer AskOfLinks(std::span<const PathLink> links, const RevocationIndex& index,
                       const RevocationSpec& spec, int64_t now) {
  LinksAnswer all;
  for (size_t i = 0; i < links.size(); ++i) {
    all.holds_until = std::min(all.holds_until, links[i].not_after);
    if (links[i].not_after < now && all.rejection == Rejection::kNone) {
      all.rejection = Rejection::kExpired;
      all.depth = i;
      return all;
    }
    if (spec.mode == RevocationMode::kOff) continue;
    if (i > 0 && spec.scope == RevocationScope::kLeaf) continue;
    const RevocationIndex::Answer answer = index.Ask(links[i], spec, now);
    all.holds_until = std::min(all.holds_until, answer.holds_until);
    if (answer.rejection == Rejection::kNone) continue;
    // A revoked CA's own CRL no longer counts: what there is to say is that the CA is revoked.
    if (all.rejection != Rejection::kNone && answer.rejection != Rejection::kRevoked) continue;
    all.rejection = answer.rejection;
    all.depth = i;
    if (answer.rejection == Rejection::kRevoked) return all;
  }
  return all;
}

}  // namespace portcullis::tls
