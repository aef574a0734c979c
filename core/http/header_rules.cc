#include "core/http/header_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "core/http/field_syntax.h"
#include "core/http/identity.h"

namespace portcullis::http {
namespace {

constexpr std::string_view kPrefixes[] = {"x-forwarded-", "x-original-forwarded-"};
constexpr std::string_view kNames[] = {"forwarded",     "x-forwarded", "x-real-ip",
                                       "x-scheme",      "x-client-ip", "x-cluster-client-ip",
                                       "true-client-ip"};

// Fields that a message needs even if Connection names them: removing them would change what it
// means or whom it is for.
bool IsEndToEndAlways(std::string_view name) {
  return EqualsIgnoreCase(name, "Host") || EqualsIgnoreCase(name, "Content-Length") ||
         EqualsIgnoreCase(name, "Authorization") || EqualsIgnoreCase(name, "Cookie") ||
         EqualsIgnoreCase(name, "Cache-Control") || EqualsIgnoreCase(name, "Content-Type") ||
         EqualsIgnoreCase(name, "Content-Encoding") || EqualsIgnoreCase(name, "Content-Range");
}

// A Forwarded value that is no token is to be quoted (RFC 7239, 4): anything with ':' or '['.
void AppendPair(std::string_view key, std::string_view value, std::string& out) {
  if (!out.empty()) out.push_back(';');
  out.append(key).push_back('=');
  if (IsToken(value)) {
    out.append(value);
  } else {
    out.append("\"").append(value).append("\"");
  }
}

void SetForwarded(const ForwardingContext& context, std::string_view authority,
                  HeaderList& headers) {
  std::string value;
  value.reserve(128);
  const bool ipv6 = context.client_ip.find(':') != std::string_view::npos;
  std::string node(ipv6 ? "[" : "");
  node.append(context.client_ip).append(ipv6 ? "]" : "");
  AppendPair("for", node, value);
  if (!authority.empty()) AppendPair("host", authority, value);
  AppendPair("proto", context.scheme, value);
  headers.Add("Forwarded", value);
}

void SetXForwarded(const ForwardingContext& context, std::string_view authority,
                   HeaderList& headers) {
  std::array<char, 5> port;
  const char* const end =
      std::to_chars(port.data(), port.data() + port.size(), context.server_port).ptr;
  headers.Add("X-Real-IP", context.client_ip);
  headers.Add("X-Forwarded-For", context.client_ip);
  if (!authority.empty()) headers.Add("X-Forwarded-Host", authority);
  headers.Add("X-Forwarded-Port", {port.data(), static_cast<size_t>(end - port.data())});
  headers.Add("X-Forwarded-Proto", context.scheme);
  headers.Add("X-Forwarded-Scheme", context.scheme);
  headers.Add("X-Scheme", context.scheme);
}

}  // namespace

void PrepareForBackend(const RequestRules& rules, RequestHead& head) {
  RemoveHopByHop(head.headers);
  head.headers.RemoveIf([](const Header& header) {
    return IsForwardingHeader(header.name) || IsIdentityHeader(header.name);
  });
  SetForwarding(rules.forwarding, rules.context, head.authority, head.headers);
  if (rules.identity != nullptr) rules.identity->Apply(head.headers);
}

void PrepareForClient(ResponseHead& head) { RemoveHopByHop(head.headers); }

void FilterTrailers(HeaderList& trailers) {
  constexpr std::string_view kForbidden[] = {
      "Host",          "Authorization",    "Cookie",       "Set-Cookie",
      "Content-Type",  "Content-Range",    "Trailer",      "Content-Encoding",
      "Cache-Control", "Expect",           "Max-Forwards", "Range",
      "Age",           "Expires",          "Location",     "Vary",
      "Retry-After",   "WWW-Authenticate", "Date",         "If-Match"};
  trailers.RemoveIf([&](const Header& header) {
    return IsHopByHop(header.name) || IsFraming(header.name) || IsForwardingHeader(header.name) ||
           IsIdentityHeader(header.name) ||
           std::any_of(std::begin(kForbidden), std::end(kForbidden),
                       [&](std::string_view name) { return EqualsIgnoreCase(header.name, name); });
  });
}

void RemoveHopByHop(HeaderList& headers) {
  // Real messages name one or two fields. What lies beyond the bound stays: removing is a courtesy
  // to the next hop, and a list of thousands must not cost thousands of comparisons a field.
  std::array<std::string_view, 16> named;
  size_t num_named = 0;
  for (const Header header : headers) {
    if (!EqualsIgnoreCase(header.name, "Connection")) continue;
    ForEachToken(header.value, [&](std::string_view option) {
      if (num_named < named.size() && !IsEndToEndAlways(option)) named[num_named++] = option;
    });
  }
  headers.RemoveIf([&](const Header& header) {
    if (IsHopByHop(header.name)) return true;
    return std::any_of(named.begin(), named.begin() + num_named, [&](std::string_view option) {
      return EqualsIgnoreCase(header.name, option);
    });
  });
}

bool IsForwardingHeader(std::string_view name) {
  if (name.empty()) return false;
  const char first = name.front();
  if (first != 'x' && first != 'X' && first != 'f' && first != 'F' && first != 't' &&
      first != 'T') {
    return false;
  }
  const FoldedName folded(name);
  const std::string_view text = folded.text();
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return text.starts_with(prefix); }) ||
         std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames);
}

void SetForwarding(config::Forwarding mode, const ForwardingContext& context,
                   std::string_view authority, HeaderList& headers) {
  using config::Forwarding;
  if (mode == Forwarding::kXForwarded || mode == Forwarding::kBoth) {
    SetXForwarded(context, authority, headers);
  }
  if (mode == Forwarding::kForwarded || mode == Forwarding::kBoth) {
    SetForwarded(context, authority, headers);
  }
}

}  // namespace portcullis::http
