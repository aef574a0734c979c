// SpanBio: the library's transport as two borrowed ends, a span of ciphertext that reads drain and
// a sink that writes append to. No buffer and no copy of its own. Owned by one Engine; that
// Engine's thread only.
#pragma once

#include <openssl/base.h>
#include <openssl/bio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace portcullis::tls {

// Where ciphertext for the peer goes: appended, never refused.
struct Sink {
  void* context = nullptr;
  void (*append)(void* context, const uint8_t* bytes, size_t size) = nullptr;
};

// The two ends, set for the duration of one call into the library, and what the peer's first bytes
// gave away.
struct SpanIo {
  // SpeaksHttp tells whether the peer's first five bytes begin an HTTP request: an answer in TLS
  // would be noise to it, so nothing of the library's reaches the sink any more.
  [[nodiscard]] bool SpeaksHttp() const;

  // LastClearAlert returns the description if the last bytes read are a whole fatal alert in the
  // clear (RFC 8446 5.1, 6), -1 otherwise.
  [[nodiscard]] int LastClearAlert() const;

  std::span<const uint8_t>* input = nullptr;
  Sink sink;
  std::array<uint8_t, 5>
      first{};  // The size of a record header, which the library reads first and by itself.
  uint8_t num_first = 0;
  std::array<uint8_t, 7> last{};  // The size of an alert record, of whatever was read last.
};

// NewSpanBio returns a BIO over `io`, which must outlive it. Reading from an empty input asks for a
// retry; writing always succeeds.
[[nodiscard]] bssl::UniquePtr<BIO> NewSpanBio(SpanIo* io);

}  // namespace portcullis::tls
