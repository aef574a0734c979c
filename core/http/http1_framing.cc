#include "core/http/http1_framing.h"

#include <optional>
#include <string_view>

#include "core/http/field_syntax.h"

namespace portcullis::http {
namespace {

constexpr std::string_view kContentLength = "Content-Length";
constexpr std::string_view kTransferEncoding = "Transfer-Encoding";

// ParseLength reads 1*DIGIT that fits 63 bits.
std::optional<uint64_t> ParseLength(std::string_view text) {
  constexpr size_t kMaxDigits = 18;
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

// Length and coding as the fields state them.
struct Stated {
  std::optional<uint64_t> length;
  bool chunked = false;
};

HttpError ReadTransferEncoding(std::string_view value) {
  if (EqualsIgnoreCase(value, "chunked")) return {};
  bool well_formed = false;
  bool other_coding = false;
  ForEachToken(value, [&](std::string_view coding) {
    well_formed = IsToken(coding) && (well_formed || !other_coding);
    other_coding = other_coding || !EqualsIgnoreCase(coding, "chunked");
  });
  if (well_formed && other_coding) return {501, "transfer coding other than chunked"};
  return {400, "malformed Transfer-Encoding"};
}

HttpError ReadStated(const HeaderList& headers, bool http10, Stated& stated) {
  const size_t codings = headers.Count(kTransferEncoding);
  const size_t lengths = headers.Count(kContentLength);
  if (codings != 0 && lengths != 0) return {400, "both Transfer-Encoding and Content-Length"};
  if (codings > 1) return {400, "more than one Transfer-Encoding"};
  if (lengths > 1) return {400, "more than one Content-Length"};
  if (codings == 1) {
    if (http10) return {400, "Transfer-Encoding in HTTP/1.0"};
    const HttpError error = ReadTransferEncoding(*headers.Get(kTransferEncoding));
    if (error.status != 0) return error;
    stated.chunked = true;
  }
  if (lengths == 1) {
    stated.length = ParseLength(*headers.Get(kContentLength));
    if (!stated.length.has_value()) return {400, "malformed Content-Length"};
  }
  return {};
}

}  // namespace

HttpError RequestExtent(const HeaderList& headers, bool http10, Extent& extent, Body& declared) {
  Stated stated;
  const HttpError error = ReadStated(headers, http10, stated);
  if (error.status != 0) return error;
  if (stated.chunked) {
    extent = {Framing::kChunked, 0};
    declared = Body::Stream();
  } else if (stated.length.has_value()) {
    extent = {*stated.length == 0 ? Framing::kNone : Framing::kLength, *stated.length};
    declared = Body::Length(*stated.length);
  } else {
    extent = {};
    declared = Body::None();
  }
  return {};
}

HttpError ResponseExtent(const HeaderList& headers, bool http10, uint16_t status, bool head_request,
                         Extent& extent, Body& declared) {
  Stated stated;
  const HttpError error = ReadStated(headers, http10, stated);
  if (error.status != 0) return {502, error.reason};
  declared = stated.chunked              ? Body::Stream()
             : stated.length.has_value() ? Body::Length(*stated.length)
                                         : Body::None();
  extent = {};
  if (status < 200 || status == 204) declared = Body::None();
  if (!ResponseHasBody(status, head_request)) return {};
  if (stated.chunked) {
    extent = {Framing::kChunked, 0};
  } else if (stated.length.has_value()) {
    extent = {*stated.length == 0 ? Framing::kNone : Framing::kLength, *stated.length};
  } else {
    extent = {Framing::kClose, 0};
    declared = Body::Stream();
  }
  return {};
}

HttpError CheckFieldSyntax(const HeaderList& headers) {
  for (const Header header : headers) {
    if (!IsToken(header.name)) return {400, "invalid character in a field name"};
  }
  return {};
}

bool PersistsByFields(const HeaderList& headers, bool http10) {
  if (HasToken(headers, "Connection", "close")) return false;
  return !http10 || HasToken(headers, "Connection", "keep-alive");
}

}  // namespace portcullis::http
