// An OCSP response (RFC 6960 4.2): read where it lies, verified, and asked about one certificate.
// Sans-I/O; any thread; keeps nothing.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <string_view>

#include "tls/der.h"
#include "tls/ocsp_cert_id.h"

namespace portcullis::tls {

// Why a response is of no use: constant text, empty for one that is.
using OcspFault = std::string_view;

// A BasicOCSPResponse as written; borrows from the input.
struct OcspResponse {
  Bytes tbs;                  // tbsResponseData with its tag: what is signed
  Bytes signature_algorithm;  // AlgorithmIdentifier with its tag
  Bytes signature;
  Bytes responder_name;  // Name with its tag, or else
  Bytes responder_key;   // SHA-1 of the responder's key
  int64_t produced_at = 0;
  Bytes singles;       // content of the SEQUENCE OF SingleResponse
  Bytes certificates;  // content of the SEQUENCE OF Certificate; empty without
};

// ParseOcspResponse reads one DER OCSPResponse without anything behind it. One that is no success
// ("try later", ...) or is of another type than basic has a fault that says so.
[[nodiscard]] OcspFault ParseOcspResponse(Bytes der, OcspResponse& response);

// VerifyOcspResponse tells whether the response was signed by `issuer`, or by who is delegated to
// sign for it: a certificate in the response, issued by that very issuer, with the extended key
// usage OCSPSigning, and valid at `at` (seconds since the epoch).
[[nodiscard]] OcspFault VerifyOcspResponse(const OcspResponse& response, X509* issuer, int64_t at);

enum class OcspStatus : uint8_t { kGood, kRevoked, kUnknown };

// OcspStatusName returns "good", "revoked" or "unknown".
[[nodiscard]] std::string_view OcspStatusName(OcspStatus status);

struct OcspAnswer {
  OcspStatus status = OcspStatus::kUnknown;
  int64_t this_update = 0;  // seconds since the epoch
  int64_t next_update = 0;  // 0: none said
  int64_t revoked_at = 0;   // kRevoked
  int reason = -1;          // kRevoked: CRLReason, -1 not said
};

// FindOcspAnswer reads what the response says of a certificate: the latest, where it says more. It
// says nothing of when that holds.
[[nodiscard]] OcspFault FindOcspAnswer(const OcspResponse& response, const OcspCertId& id,
                                       OcspAnswer& answer);

// OcspFreshUntil returns until when an answer may be used, seconds since the epoch; 0 when it may
// not be at `now`: not valid yet (beyond five minutes, for clocks differ), or past nextUpdate. One
// that says no nextUpdate is good for an hour from thisUpdate.
[[nodiscard]] int64_t OcspFreshUntil(const OcspAnswer& answer, int64_t now);

}  // namespace portcullis::tls
