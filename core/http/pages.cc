#include "core/http/pages.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "tls/x509_map.h"

namespace portcullis::http {
namespace {

// The three shapes of nginx's pages. Macros, since only literals concatenate at compile time.
#define PAGE_TOP(title, heading)                                                      \
  "<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n<center><h1>" heading \
  "</h1></center>\r\n"
#define PAGE_TAIL "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
#define PAGE(text) PAGE_TOP(text, text) PAGE_TAIL
#define PAGE_400(detail) \
  PAGE_TOP("400 " detail, "400 Bad Request") "<center>" detail "</center>\r\n" PAGE_TAIL

// Sorted by code. nginx has no pages for 417 and 431 (it sends 494 for the latter); these follow
// its shape.
constexpr Page kPages[] = {
    {400, 400, "Bad Request", PAGE("400 Bad Request"), true},
    {403, 403, "Forbidden", PAGE("403 Forbidden"), false},
    {404, 404, "Not Found", PAGE("404 Not Found"), false},
    {405, 405, "Not Allowed", PAGE("405 Not Allowed"), false},
    {408, 408, "Request Time-out", PAGE("408 Request Time-out"), true},
    {413, 413, "Request Entity Too Large", PAGE("413 Request Entity Too Large"), true},
    {414, 414, "Request-URI Too Large", PAGE("414 Request-URI Too Large"), true},
    {417, 417, "Expectation Failed", PAGE("417 Expectation Failed"), true},
    {421, 421, "Misdirected Request", PAGE("421 Misdirected Request"), false},
    {429, 429, "Too Many Requests", PAGE("429 Too Many Requests"), false},
    {431, 431, "Request Header Fields Too Large", PAGE("431 Request Header Fields Too Large"),
     true},
    {kHeaderTooLarge, 400, "Bad Request", PAGE_400("Request Header Or Cookie Too Large"), true},
    {kCertificateError, 400, "Bad Request", PAGE_400("The SSL certificate error"), true},
    {kNoCertificate, 400, "Bad Request", PAGE_400("No required SSL certificate was sent"), true},
    {kHttpToHttps, 400, "Bad Request", PAGE_400("The plain HTTP request was sent to HTTPS port"),
     true},
    {500, 500, "Internal Server Error", PAGE("500 Internal Server Error"), true},
    {501, 501,
     "Not "
     "Implemented",
     PAGE("501 Not "
          "Implemented"),
     true},
    {502, 502, "Bad Gateway", PAGE("502 Bad Gateway"), false},
    {503, 503, "Service Temporarily Unavailable", PAGE("503 Service Temporarily Unavailable"),
     false},
    {504, 504, "Gateway Time-out", PAGE("504 Gateway Time-out"), false},
    {505, 505, "HTTP Version Not Supported", PAGE("505 HTTP Version Not Supported"), true},
};

#undef PAGE_TOP
#undef PAGE_TAIL
#undef PAGE
#undef PAGE_400

constexpr const Page* Lookup(uint16_t code) {
  const auto* const found =
      std::lower_bound(std::begin(kPages), std::end(kPages), code,
                       [](const Page& page, uint16_t wanted) { return page.code < wanted; });
  return found != std::end(kPages) && found->code == code ? found : nullptr;
}

static_assert(std::is_sorted(std::begin(kPages), std::end(kPages),
                             [](const Page& a, const Page& b) { return a.code < b.code; }));
static_assert(Lookup(500) != nullptr);

void PutTwo(unsigned value, char* at) {
  at[0] = static_cast<char>('0' + value / 10 % 10);
  at[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

const Page& FindPage(uint16_t code) {
  const Page* const page = Lookup(code);
  return page != nullptr ? *page : *Lookup(500);
}

uint16_t RejectionPage(tls::Rejection reason) {
  using tls::Rejection;
  if (reason == Rejection::kNoCertificate) return kNoCertificate;
  if (reason == Rejection::kPolicyDenied) return 403;
  if (reason == Rejection::kPlainHttp) return kHttpToHttps;
  if (reason == Rejection::kSniHostMismatch) return 421;
  return tls::IsCertificateVerdict(reason) ? kCertificateError : uint16_t{0};
}

std::string RefusalNote(tls::Rejection reason, uint8_t depth, int x509_error) {
  std::string note(tls::Name(reason));
  if (!tls::IsCertificateVerdict(reason) || x509_error == 0) return note;
  note.append("; depth=").append(std::to_string(depth));
  note.append("; x509=\"").append(tls::X509ErrorText(x509_error)).append("\"");
  return note;
}

void DateCache::Update(int64_t unix_seconds) {
  if (unix_seconds == unix_seconds_) return;
  unix_seconds_ = unix_seconds;
  constexpr char kDays[] = "SunMonTueWedThuFriSat";
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

  constexpr std::string_view kShape = "Thu, 01 Jan 1970 00:00:00 GMT";
  static_assert(kShape.size() == 29);
  char* const out = text_.data();
  std::copy(kShape.begin(), kShape.end(), out);
  std::copy_n(kDays + 3 * std::chrono::weekday{day}.c_encoding(), 3, out);
  PutTwo(static_cast<unsigned>(date.day()), out + 5);
  std::copy_n(kMonths + 3 * (static_cast<unsigned>(date.month()) - 1), 3, out + 8);
  PutTwo(year / 100, out + 12);
  PutTwo(year % 100, out + 14);
  PutTwo(static_cast<unsigned>(clock.hours().count()), out + 17);
  PutTwo(static_cast<unsigned>(clock.minutes().count()), out + 20);
  PutTwo(static_cast<unsigned>(clock.seconds().count()), out + 23);
}

void FillPageHead(const Page& page, const DateCache& date, ResponseHead& head) {
  head.Clear();
  head.status = page.status;
  head.reason.assign(page.reason);
  head.headers.Add("Server", "nginx");
  head.headers.Add("Date", date.text());
  head.headers.Add("Content-Type", "text/html");
  head.body = Body::Length(page.body.size());
}

}  // namespace portcullis::http
