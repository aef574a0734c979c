// The OCSP response that we staple to our own certificate (RFC 6066 section 8, RFC 8446 4.4.2.1):
// whether it is that certificate's. Control plane only; keeps nothing.
#pragma once

#include <openssl/pool.h>

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "tls/ocsp_response.h"

namespace portcullis::tls {

// CheckStaple returns what `response_der` says of the first certificate of `chain` (DER; leaf
// first, its issuer next, unless it is self-signed). InvalidArgument, naming `origin`, when it does
// not parse, is about another certificate, or is not signed by the issuer or its delegate. Whether
// it says "good", and whether it is fresh (tls::OcspFreshUntil), is for the caller to look at:
// neither is a mistake in the configuration.
absl::StatusOr<OcspAnswer> CheckStaple(std::string_view response_der,
                                       std::span<const bssl::UniquePtr<CRYPTO_BUFFER>> chain,
                                       std::string_view origin);

// StapleOddity says why an answer is not worth stapling at `now`; empty when it is.
[[nodiscard]] std::string StapleOddity(const OcspAnswer& answer, int64_t now);

// StapleUntil returns the last second at which an answer may be stapled, whatever it says.
[[nodiscard]] int64_t StapleUntil(const OcspAnswer& answer);

}  // namespace portcullis::tls
