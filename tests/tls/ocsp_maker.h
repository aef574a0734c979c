// OCSP responses for tests, byte by byte: as odd as a test needs them. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/tls/crl_maker.h"
#include "tests/tls/test_pki.h"

namespace portcullis::tls::testing {

struct OcspSpec {
  enum class Status : uint8_t { kGood, kRevoked, kUnknown };
  Status status = Status::kGood;
  int64_t this_update = kNow - kHour;
  int64_t next_update = kNow + kDay;  // 0: none
  int64_t revoked_at = kNow - 2 * kHour;
  int reason = -1;
  uint8_t response_status = 0;
  bool sha256 = false;                         // hashes of the CertID
  bool by_key = false;                         // the responder says its key instead of its name
  const TestCertificate* responder = nullptr;  // null: the issuer itself
  const TestCertificate* named = nullptr;      // whom the response names; null: the responder
  std::vector<const TestCertificate*> certificates = {};
  CrlSignature signature = CrlSignature::kUsual;
  Octets extensions = {};         // of the response
  Octets single_extensions = {};  // of the answer
};

// MakeOcsp returns the DER of a response about the certificate of `issuer` with a serial number
// (content octets).
[[nodiscard]] Octets MakeOcsp(const TestCertificate& issuer, const Octets& serial,
                              const OcspSpec& spec = {});
// SerialOf returns the content octets of a certificate's serial number.
[[nodiscard]] Octets SerialOf(const TestCertificate& certificate);
// GeneralizedTimeOf encodes a time with its tag.
[[nodiscard]] Octets GeneralizedTimeOf(int64_t seconds);

}  // namespace portcullis::tls::testing
