#include "core/http/header_rules.h"

#include <algorithm>
#include <array>
#include <charconv>

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

// What the codec takes out under its right name, under one that a CGI-like backend takes for it.
bool IsFramingTwin(std::string_view name) {
  const FoldedName folded(name);
  return folded.text() == "content-length" || folded.text() == "transfer-encoding" ||
         folded.text() == "host";
}

// AppendPair adds `key`=`value` to the last field. A value that is no token is to be quoted (RFC
// 7239, 4): IPv6 addresses, and hosts with a port. None of ours holds a quote or a backslash.
void AppendPair(std::string_view key, std::string_view value, HeaderList& headers) {
  headers.AppendValue(key);
  const std::string_view quote = IsToken(value) ? "" : "\"";
  headers.AppendValue(quote);
  headers.AppendValue(value);
  headers.AppendValue(quote);
}

void SetForwarded(const ForwardingContext& context, std::string_view authority,
                  HeaderList& headers) {
  headers.BeginField();  // piecewise, so that nothing is allocated for the value
  headers.AppendName("Forwarded");
  if (context.client_ip.find(':') == std::string_view::npos) {
    AppendPair("for=", context.client_ip, headers);
  } else {
    headers.AppendValue("for=\"[");
    headers.AppendValue(context.client_ip);
    headers.AppendValue("]\"");
  }
  if (!authority.empty()) AppendPair(";host=", authority, headers);
  AppendPair(";proto=", context.scheme, headers);
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
    return IsForwardingHeader(header.name) || IsIdentityHeader(header.name) ||
           IsFramingTwin(header.name);
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
