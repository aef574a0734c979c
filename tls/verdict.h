// Verdict and PeerIdentity: the result of judging a client's certificate chain. Made by a worker's
// ClientVerifier, owned by the connection it was made for; that worker's thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tls/rejection.h"

namespace portcullis::tls {

// Who the client proved to be. Strings are RFC 2253 (as `openssl x509 -nameopt RFC2253`), UTF-8, as
// nginx's $ssl_client_s_dn prints them.
struct PeerIdentity {
  std::string subject;
  std::string issuer;
  std::string serial_hex;  // upper case, no leading zeros beyond a byte, as `openssl x509 -serial`
  std::array<uint8_t, 32> sha256{};  // of the leaf's DER
  int64_t not_before = 0;            // seconds since the epoch
  int64_t not_after = 0;
  std::vector<std::string> dns_names;  // SANs in certificate order
  std::vector<std::string> uris;
  std::vector<std::string> emails;
  std::vector<std::string> ips;
  std::vector<uint8_t> leaf_der;  // for header profiles that pass the certificate on
};

struct Verdict {
  Rejection rejection = Rejection::kNone;
  int x509_error = 0;          // X509_V_ERR_*, 0 where not applicable
  uint8_t failed_depth = 0;    // index in the path of the certificate that failed, leaf = 0
  std::string failed_subject;  // its subject: for our log, never for the client
  // Set whenever a parseable leaf was presented, also when it was rejected. Null: no certificate.
  std::unique_ptr<PeerIdentity> identity;

  [[nodiscard]] bool accepted() const { return rejection == Rejection::kNone; }
};

}  // namespace portcullis::tls
