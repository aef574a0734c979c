#include "core/ocsp/http_url.h"

#include <algorithm>
#include <charconv>

namespace portcullis::ocsp {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr size_t kMaxUrlBytes = 1024;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool HasScheme(std::string_view url) {
  return url.size() > kScheme.size() &&
         std::equal(kScheme.begin(), kScheme.end(), url.begin(),
                    [](char expected, char c) { return expected == Lower(c); });
}

bool ReadPort(std::string_view text, uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::optional<HttpUrl> ParseHttpUrl(std::string_view url) {
  const bool is_plain =
      std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_plain || !HasScheme(url) || url.size() > kMaxUrlBytes ||
      url.find_first_of("#@") != std::string_view::npos) {
    return std::nullopt;
  }
  url.remove_prefix(kScheme.size());
  const size_t end = std::min(url.find_first_of("/?"), url.size());
  const std::string_view authority = url.substr(0, end);
  HttpUrl parts;
  parts.authority = authority;
  parts.target = url.substr(end);
  if (parts.target.empty() || parts.target[0] != '/') parts.target.insert(0, "/");

  std::string_view rest;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    parts.host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
  } else {
    const size_t colon = std::min(authority.find(':'), authority.size());
    parts.host = authority.substr(0, colon);
    rest = authority.substr(colon);
  }
  if (parts.host.empty()) return std::nullopt;
  if (!rest.empty() && (rest[0] != ':' || !ReadPort(rest.substr(1), parts.port))) {
    return std::nullopt;
  }
  return parts;
}

}  // namespace portcullis::ocsp
