// An OCSP request (RFC 6960 4.1) for one certificate: unsigned, without a nonce, so that responders
// may answer from what they have signed beforehand (RFC 5019). Any thread; keeps nothing.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tls/ocsp_cert_id.h"

namespace portcullis::tls {

// MakeOcspRequest returns the DER of an OCSPRequest; empty when the serial is no INTEGER.
[[nodiscard]] std::vector<uint8_t> MakeOcspRequest(const OcspCertId& id);

// OcspResponderUrl returns the first http responder that a certificate names (authorityInfoAccess,
// RFC 5280 4.2.2.1); empty without one.
[[nodiscard]] std::string OcspResponderUrl(const X509* certificate);

}  // namespace portcullis::tls
