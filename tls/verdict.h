// Verdict and PeerIdentity: the result of judging a client's certificate chain. A PeerIdentity is
// immutable once made and shared, within one worker, by the verdict cache and the connections of
// the same client; only that worker's thread touches it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tls/rejection.h"
#include "tls/shared_bytes.h"

namespace portcullis::tls {

using Sha256 = std::array<uint8_t, 32>;

// Whose CRL speaks of a certificate: SHA-256 over the issuer's canonical subject name and public
// key (SubjectPublicKeyInfo). Cross-signed certificates of one CA share it (RFC 5280 6.3.3 f).
using IssuerId = Sha256;

// A certificate of the path that a verdict stands on, as far as it can be asked of again later,
// when the certificate itself is gone: at a resumption, or when CRLs change.
struct PathLink {
  IssuerId issuer{};
  std::vector<uint8_t> serial;  // content octets of the INTEGER
  int64_t not_after = 0;
  bool is_ca = false;
  uint32_t issuer_name_hash = 0;  // compat::NameHash; not kept in tickets
  // Hashes of the fullNames of its CRL distribution points (tls::NameHash64): for partitioned CRLs.
  std::vector<uint64_t> distribution_points;
};

// Ticket encodings of an identity, see KeptEncoding: without and with the leaf, empty until asked
// for. A copy of the identity may be another thread's, and begins without.
class KeptEncodings {
 public:
  KeptEncodings() = default;
  ~KeptEncodings() = default;
  KeptEncodings(const KeptEncodings& /*other*/) {}
  KeptEncodings& operator=(const KeptEncodings& /*other*/) { return *this; }

  [[nodiscard]] std::vector<uint8_t>& Of(bool with_leaf) {
    if (bytes_ == nullptr) bytes_ = std::make_unique<Both>();
    return (*bytes_)[with_leaf ? 1 : 0];
  }

 private:
  using Both = std::array<std::vector<uint8_t>, 2>;
  std::unique_ptr<Both> bytes_;
};

// Who the client proved to be. Names are RFC 2253 (as `openssl x509 -nameopt RFC2253`), as nginx's
// $ssl_client_s_dn prints them. Attribute values are UTF-8, in certificate order.
struct PeerIdentity {
  std::string subject;
  std::string issuer;
  std::string serial_hex;  // upper case, no leading zeros beyond a byte, as `openssl x509 -serial`
  Sha256 sha256{};         // of the leaf's DER
  Sha256 spki_sha256{};    // of the leaf's SubjectPublicKeyInfo
  int64_t not_before = 0;  // seconds since the epoch
  int64_t not_after = 0;
  std::vector<std::string> common_names;
  std::vector<std::string> organizations;
  std::vector<std::string> organizational_units;
  std::vector<std::string> dns_names;  // SANs in certificate order
  std::vector<std::string> uris;
  std::vector<std::string> emails;
  std::vector<std::string> ips;
  std::vector<std::string> policy_oids;  // dotted, of the leaf's certificatePolicies
  // Leaf first, the anchor excluded; empty for a leaf that is an anchor itself, and for rejected
  // chains.
  std::vector<PathLink> path;
  Sha256 anchor_sha256{};  // of the DER of the anchor that the path ends in
  // Of the DER of each certificate between that the client left out and the trust has lent: the
  // path stands no longer than the trust has them.
  std::vector<Sha256> lent;
  // The client presented the path itself, but for the anchor, and nothing else.
  bool presented_just_path = false;
  // It presented certificates that the path has no use for.
  bool presented_more = false;
  // The certificates as presented, leaf first. Empty for a resumed session whose ticket does not
  // carry them (the leaf alone where the host passes certificates on). Intermediates are commonly
  // those of other clients, too.
  std::vector<SharedBytes> chain_der;
  mutable KeptEncodings encodings;  // no part of the value
};

struct Verdict {
  Rejection rejection = Rejection::kNone;
  int x509_error = 0;          // X509_V_ERR_*, 0 where not applicable
  uint8_t failed_depth = 0;    // index in the path of the certificate that failed, leaf = 0
  std::string failed_subject;  // its subject: for our log, never for the client
  std::string detail;          // which rule or limit, where the reason alone does not say; our log
  // Set whenever a parseable leaf was presented, also when it was rejected. Null: no certificate.
  std::shared_ptr<const PeerIdentity> identity;
  // Accepted: the last second at which it holds, by the notAfter of the path and the nextUpdate
  // (and grace) of the CRLs it was judged under.
  int64_t holds_until = 0;
  bool from_cache = false;

  [[nodiscard]] bool accepted() const { return rejection == Rejection::kNone; }
};

}  // namespace portcullis::tls
