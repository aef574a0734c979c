// Pages: the answers made here, byte for byte nginx's with server_tokens off, so that clients and
// monitors that know ingress-nginx see what they saw before. Bodies are constants; heads are built
// codec-neutrally.
//
// DateCache is a worker's, updated once a turn; the rest is constant data for any thread. nginx's
// padding for MSIE and Chrome is not reproduced.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/message.h"
#include "tls/rejection.h"

namespace portcullis::http {

// nginx's internal codes that are sent as 400.
inline constexpr uint16_t kHeaderTooLarge = 494;
inline constexpr uint16_t kCertificateError = 495;
inline constexpr uint16_t kNoCertificate = 496;
inline constexpr uint16_t kHttpToHttps = 497;

struct Page {
  uint16_t code;    // as logged
  uint16_t status;  // as sent: 400 for 494-497
  std::string_view reason;
  std::string_view body;  // text/html, CRLF line ends
  bool close;             // nginx ends the connection after it
};

// FindPage returns the page for an HTTP status or internal code; for one that has none, that of
// 500.
[[nodiscard]] const Page& FindPage(uint16_t code);

// RejectionPage returns the code of the page that tells a client over HTTP why it is not served:
// nginx's for want of a certificate and for a bad one, 403 where the certificate is good and policy
// says no. 0 for kNone and for what ends without a page.
[[nodiscard]] uint16_t RejectionPage(tls::Rejection reason);

// RefusalNote tells in one header's value why a client is not served, for those who ask that
// clients be told: the reason's name and, where a certificate was judged, whose it was by its depth
// (leaf 0) and the X.509 error's text: `expired; depth=1; x509="certificate has expired"`. It is
// made of our own constants and a number: nothing in it comes from a certificate.
[[nodiscard]] std::string RefusalNote(tls::Rejection reason, uint8_t depth, int x509_error);

// DateCache holds the current IMF-fixdate (RFC 9110, 5.6.7).
class DateCache {
 public:
  DateCache() { Update(0); }
  // Update sets the time; cheap if it is the second of last time. Valid for years 1970 to 9999.
  void Update(int64_t unix_seconds);
  [[nodiscard]] std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  int64_t unix_seconds_ = -1;
  std::array<char, 29> text_{};
};

// FillPageHead turns `head` into the response head of `page`: Server, Date, Content-Type, and the
// body's length. The codec adds Content-Length and, if told CloseAfterResponse() (do so where
// page.close), Connection: close, in that order.
void FillPageHead(const Page& page, const DateCache& date, ResponseHead& head);

}  // namespace portcullis::http
