// Rejection: the one taxonomy of why a client was not served. Its name is the metric label, the log
// field and the `verify` exit text; its alert is what TLS says on the wire; its page is what HTTP
// says. Order is stable within a release but not part of any contract; names are. Constant data,
// any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace portcullis::tls {

enum class Rejection : uint8_t {
  kNone,
  // The client's certificate.
  kNoCertificate,  // none sent where one is required
  kExpired,        // a certificate of the path is past notAfter
  kNotYetValid,    // ... or before notBefore
  kUnknownCa,      // no path to a trust anchor
  kRevoked,
  kCrlStale,         // a CRL needed is past nextUpdate
  kCrlMissing,       // no CRL for an issuer where policy demands one
  kOcspUnavailable,  // no responder's word on it where policy demands one
  kBadSignature,     // a signature on the path does not verify
  kBadPurpose,       // EKU or key usage excludes client authentication
  kWeakKey,          // key or signature algorithm below the floor
  kChainTooLong,     // more certificates than the depth allows
  kChainTooBig,      // more bytes than the limit
  kBadCertificate,   // malformed, critical unknown extension, not a CA, name constraints, ...
  kPolicyDenied,
  // The handshake.
  kSniUnknown,       // no virtual host for the name asked, and the listener refuses unknown names
  kProtocolVersion,  // no TLS version in common
  kNoSharedParameters,  // no cipher, group, signature algorithm or ALPN protocol in common
  kPlainHttp,           // an HTTP request on the TLS port (nginx's 497)
  kBadMessage,          // undecodable or unexpected TLS bytes
  kBadProof,            // CertificateVerify or Finished does not verify
  kClientAlert,         // the client sent a fatal alert
  kEof,                 // the client closed during the handshake
  kReset,               // the connection broke during the handshake
  kTimeout,             // handshake deadline
  kOverload,            // admission refused
  kShutdown,            // the service is draining
  // After the handshake.
  kSniHostMismatch,  // Host's virtual host has another client policy than the one judged under
                     // (421)
  // Our own failure: no memory, a key of ours that does not sign, an invariant broken. By design no
  // client can bring it about, and so no end-to-end test does.
  kInternal,
};

inline constexpr int kNumRejections = static_cast<int>(Rejection::kInternal) + 1;

// Name returns the stable snake_case label, e.g. "no_cert" for kNoCertificate, "none" for kNone.
[[nodiscard]] std::string_view Name(Rejection reason);

// Alert returns the TLS alert description (RFC 8446 section 6) that refuses a handshake for
// `reason`. `tls13` matters for kNoCertificate: certificate_required exists since 1.3,
// handshake_failure before.
[[nodiscard]] uint8_t Alert(Rejection reason, bool tls13);

// AlertRecord returns Alert(reason) as the record, in the clear, that a server sends whose
// handshake has not begun (RFC 8446 section 5.1): for clients that no engine is made for. `reason`
// must have an alert.
[[nodiscard]] std::array<uint8_t, 7> AlertRecord(Rejection reason);

// AlertName returns e.g. "certificate_expired" for 45; "unknown" for values without a name.
[[nodiscard]] std::string_view AlertName(uint8_t alert);

// IsCertificateVerdict tells whether `reason` judges the client's certificate (what the `http`
// refusal style answers with a page instead of an alert).
[[nodiscard]] bool IsCertificateVerdict(Rejection reason);

}  // namespace portcullis::tls
