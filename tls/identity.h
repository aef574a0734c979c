// A certificate as text and numbers: who it names, by whom, for how long. Makes PeerIdentity for
// the connection that presented it. Any thread; keeps nothing.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tls/verdict.h"

namespace portcullis::tls {

// MakeIdentity reads `leaf`, whose encoding is `der`. Fields that do not decode stay empty: a
// malformed SAN is for the verifier to judge. A value that does not decode, among others that do,
// is kept as one that no policy takes for well-formed: a NUL, or nothing at all.
[[nodiscard]] std::unique_ptr<PeerIdentity> MakeIdentity(const X509* leaf,
                                                         std::span<const uint8_t> der);

// NameText prints a name as RFC 2253, bytes beyond ASCII as \XX, as nginx's $ssl_client_s_dn does.
[[nodiscard]] std::string NameText(const X509_NAME* name);

// SerialText prints a serial number in upper-case hexadecimal, two digits a byte, "-" before a
// negative one.
[[nodiscard]] std::string SerialText(const ASN1_INTEGER* serial);

// TimeValue returns seconds since the epoch; `otherwise` when the time does not decode.
[[nodiscard]] int64_t TimeValue(const ASN1_TIME* time, int64_t otherwise);

}  // namespace portcullis::tls
