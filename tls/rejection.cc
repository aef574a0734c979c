#include "tls/rejection.h"

#include <openssl/ssl.h>

#include <array>

#include "tls/check.h"

namespace portcullis::tls {
namespace {

struct Row {
  Rejection reason;
  std::string_view name;
  uint8_t alert;
};

// Alerts follow the definitions of RFC 8446 section 6.2 (RFC 5246 7.2.2 has the same ones) rather
// than any library's table: a stale CRL says nothing about the certificate's own dates, and a
// signature that does not verify makes a certificate "corrupt". 0 (which would be close_notify)
// marks reasons that no alert answers.
constexpr std::array<Row, kNumRejections> kRows = {{
    {Rejection::kNone, "none", 0},
    {Rejection::kNoCertificate, "no_cert", SSL_AD_HANDSHAKE_FAILURE},
    {Rejection::kExpired, "expired", SSL_AD_CERTIFICATE_EXPIRED},
    {Rejection::kNotYetValid, "not_yet_valid", SSL_AD_BAD_CERTIFICATE},
    {Rejection::kUnknownCa, "unknown_ca", SSL_AD_UNKNOWN_CA},
    {Rejection::kRevoked, "revoked", SSL_AD_CERTIFICATE_REVOKED},
    {Rejection::kCrlStale, "crl_stale", SSL_AD_CERTIFICATE_UNKNOWN},
    {Rejection::kCrlMissing, "crl_missing", SSL_AD_CERTIFICATE_UNKNOWN},
    {Rejection::kOcspUnavailable, "ocsp_unavailable", SSL_AD_CERTIFICATE_UNKNOWN},
    {Rejection::kBadSignature, "bad_signature", SSL_AD_BAD_CERTIFICATE},
    {Rejection::kBadPurpose, "bad_purpose", SSL_AD_UNSUPPORTED_CERTIFICATE},
    {Rejection::kWeakKey, "weak_key", SSL_AD_BAD_CERTIFICATE},
    {Rejection::kChainTooLong, "chain_too_long", SSL_AD_UNKNOWN_CA},
    {Rejection::kChainTooBig, "chain_too_big", SSL_AD_BAD_CERTIFICATE},
    {Rejection::kBadCertificate, "bad_certificate", SSL_AD_BAD_CERTIFICATE},
    {Rejection::kPolicyDenied, "policy_denied", SSL_AD_ACCESS_DENIED},
    {Rejection::kSniUnknown, "sni_unknown", SSL_AD_UNRECOGNIZED_NAME},
    {Rejection::kProtocolVersion, "protocol_version", SSL_AD_PROTOCOL_VERSION},
    {Rejection::kNoSharedParameters, "no_shared_parameters", SSL_AD_HANDSHAKE_FAILURE},
    {Rejection::kPlainHttp, "plain_http", 0},
    {Rejection::kBadMessage, "bad_message", SSL_AD_DECODE_ERROR},
    {Rejection::kBadProof, "bad_proof", SSL_AD_DECRYPT_ERROR},
    {Rejection::kClientAlert, "client_alert", 0},
    {Rejection::kEof, "eof", 0},
    {Rejection::kReset, "reset", 0},
    {Rejection::kTimeout, "timeout", SSL_AD_INTERNAL_ERROR},
    {Rejection::kOverload, "overload", SSL_AD_INTERNAL_ERROR},
    {Rejection::kShutdown, "shutdown", SSL_AD_INTERNAL_ERROR},
    {Rejection::kSniHostMismatch, "sni_host_mismatch", SSL_AD_ACCESS_DENIED},
    {Rejection::kInternal, "internal", SSL_AD_INTERNAL_ERROR},
}};

constexpr bool RowsAreInOrder() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<size_t>(kRows[i].reason) != i) return false;
  }
  return true;
}
static_assert(RowsAreInOrder(), "kRows is indexed by Rejection");

const Row& RowOf(Rejection reason) {
  const auto index = static_cast<size_t>(reason);
  TLS_CHECK(index < kRows.size());
  return kRows[index];
}

}  // namespace

std::string_view Name(Rejection reason) { return RowOf(reason).name; }

uint8_t Alert(Rejection reason, bool tls13) {
  if (reason == Rejection::kNoCertificate && tls13) return SSL_AD_CERTIFICATE_REQUIRED;
  return RowOf(reason).alert;
}

std::array<uint8_t, 7> AlertRecord(Rejection reason) {
  const uint8_t alert = Alert(reason, false);
  TLS_CHECK(alert != 0);
  // The version is what a first record has, whatever the handshake would have come to.
  return {SSL3_RT_ALERT, TLS1_VERSION >> 8, TLS1_VERSION & 0xff, 0, 2, SSL3_AL_FATAL, alert};
}

std::string_view AlertName(uint8_t alert) {
  switch (alert) {
    case 0:
      return "close_notify";
    case 10:
      return "unexpected_message";
    case 20:
      return "bad_record_mac";
    case 21:
      return "decryption_failed";
    case 22:
      return "record_overflow";
    case 30:
      return "decompression_failure";
    case 40:
      return "handshake_failure";
    case 41:
      return "no_certificate";
    case 42:
      return "bad_certificate";
    case 43:
      return "unsupported_certificate";
    case 44:
      return "certificate_revoked";
    case 45:
      return "certificate_expired";
    case 46:
      return "certificate_unknown";
    case 47:
      return "illegal_parameter";
    case 48:
      return "unknown_ca";
    case 49:
      return "access_denied";
    case 50:
      return "decode_error";
    case 51:
      return "decrypt_error";
    case 60:
      return "export_restriction";
    case 70:
      return "protocol_version";
    case 71:
      return "insufficient_security";
    case 80:
      return "internal_error";
    case 86:
      return "inappropriate_fallback";
    case 90:
      return "user_canceled";
    case 100:
      return "no_renegotiation";
    case 109:
      return "missing_extension";
    case 110:
      return "unsupported_extension";
    case 111:
      return "certificate_unobtainable";
    case 112:
      return "unrecognized_name";
    case 113:
      return "bad_certificate_status_response";
    case 114:
      return "bad_certificate_hash_value";
    case 115:
      return "unknown_psk_identity";
    case 116:
      return "certificate_required";
    case 120:
      return "no_application_protocol";
    case 121:
      return "ech_required";
    default:
      return "unknown";
  }
}

bool IsCertificateVerdict(Rejection reason) {
  return reason >= Rejection::kNoCertificate && reason <= Rejection::kPolicyDenied;
}

}  // namespace portcullis::tls
