// What the parsers of CRLs and of OCSP share on top of the library's byte strings: spans, times and
// extensions. Any thread; keeps nothing, borrows from the input.
#pragma once

#include <openssl/bytestring.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace portcullis::tls {

using Bytes = std::span<const uint8_t>;

// The GeneralName directoryName (RFC 5280 4.2.1.6).
inline constexpr CBS_ASN1_TAG kDirectoryName = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 4;

[[nodiscard]] inline CBS ToCbs(Bytes bytes) {
  CBS cbs;
  CBS_init(&cbs, bytes.data(), bytes.size());
  return cbs;
}

[[nodiscard]] inline Bytes ToBytes(const CBS& cbs) { return {CBS_data(&cbs), CBS_len(&cbs)}; }

[[nodiscard]] inline bool Equal(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

// ReadTime reads a Time (RFC 5280 4.1.2.5: UTCTime or GeneralizedTime, in UTC, with seconds) into
// seconds since the epoch.
[[nodiscard]] bool ReadTime(CBS& in, int64_t& seconds);
// ReadGeneralizedTime reads a GeneralizedTime of the same form.
[[nodiscard]] bool ReadGeneralizedTime(CBS& in, int64_t& seconds);
// AtTime tells whether a Time is next.
[[nodiscard]] bool AtTime(const CBS& in);

struct DerExtension {
  Bytes oid;  // content octets
  bool critical = false;
  Bytes value;  // what the OCTET STRING holds
};

// ReadExtension reads the next Extension of the content of a SEQUENCE OF Extension.
[[nodiscard]] bool ReadExtension(CBS& in, DerExtension& extension);

}  // namespace portcullis::tls
