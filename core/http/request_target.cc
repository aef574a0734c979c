#include "core/http/request_target.h"

#include <algorithm>
#include <cstdint>

#include "core/http/field_syntax.h"

namespace portcullis::http {
namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr bool IsNameChar(char c) {
  return IsDigit(c) || IsAlpha(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

constexpr bool IsIpv6Char(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

bool ValidPort(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  uint32_t port = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return false;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  return port >= 1 && port <= 65535;
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

// SplitAbsolute takes an absolute-form target apart; the path keeps its query and may be empty.
bool SplitAbsolute(std::string_view target, std::string_view& authority, std::string_view& path) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!StartsWithIgnoreCase(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const size_t end = std::min(target.find_first_of("/?"), target.size());
    authority = target.substr(0, end);
    path = target.substr(end);
    return true;
  }
  return false;
}

HttpError ParseAbsolute(std::string_view target, RequestHead& head) {
  std::string_view authority;
  std::string_view path;
  if (!SplitAbsolute(target, authority, path)) return {400, "malformed request target"};
  if (!ValidAuthority(authority)) return {400, "invalid authority in the request target"};
  const bool has_host = !head.authority.empty();
  if (has_host && !EqualsIgnoreCase(authority, head.authority)) {
    return {400, "Host differs from the request target's authority"};
  }
  head.authority.assign(authority);
  if (path.empty()) {
    head.path.assign(head.method == "OPTIONS" ? "*" : "/");
  } else {
    head.path.assign(path.front() == '?' ? "/" : "");
    head.path.append(path);
  }
  return {};
}

}  // namespace

bool ValidAuthority(std::string_view text) {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, close - 1);
    if (address.size() < 2 || !std::all_of(address.begin(), address.end(), IsIpv6Char))
      return false;
    port = text.substr(close + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string_view name = text.substr(0, colon);
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsNameChar)) return false;
    port = text.substr(colon);
  }
  return port.empty() || (port.front() == ':' && ValidPort(port.substr(1)));
}

HttpError ParseTarget(std::string_view target, bool http10, RequestHead& head) {
  if (head.method == "CONNECT" || head.method == "TRACE") return {405, "method not allowed"};
  const size_t hosts = head.headers.Count("Host");
  if (hosts > 1) return {400, "more than one Host"};
  if (hosts == 0 && !http10) return {400, "no Host"};
  head.authority.clear();
  if (hosts == 1) {
    const std::string_view host = *head.headers.Get("Host");
    if (!ValidAuthority(host)) return {400, "invalid Host"};
    head.authority.assign(host);
  }
  for (const char c : target) {
    if (c <= 0x20 || c == 0x7f) return {400, "control character or space in the request target"};
    if (c == '#') return {400, "fragment in the request target"};
  }
  if (target.starts_with('/')) {
    head.path.assign(target);
    return {};
  }
  if (target == "*") {
    if (head.method != "OPTIONS") return {400, "request target * without OPTIONS"};
    head.path.assign(target);
    return {};
  }
  return ParseAbsolute(target, head);
}

}  // namespace portcullis::http
