#include "core/http/identity.h"

#include <algorithm>
#include <string>

#include "absl/strings/escaping.h"

#include "core/http/field_syntax.h"

namespace portcullis::http {
namespace {

// Folded (see FoldedName) beginnings of the fields that some proxy speaks of a client's certificate
// in.
constexpr std::string_view kPrefixes[] = {
    "ssl-client-",                  // ingress-nginx
    "x-ssl-client-",                // HAProxy's manual, and many after it
    "x-forwarded-client-cert",      // Envoy; -chain elsewhere
    "x-forwarded-tls-client-cert",  // Traefik; -info too
    "x-amzn-mtls-",                 // AWS ALB
    "client-cert",                  // RFC 9440; -chain too
    "cf-client-cert-",              // Cloudflare
    "x-client-cert",                // Google's and others' examples
    "x-tls-client-",
    "tls-client-",
    "x-client-dn",
    "x-client-verify",
    "x-arr-clientcert",
};

constexpr bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void AppendEscaped(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
}

}  // namespace

IdentityHeaders::IdentityHeaders(config::IdentityProfile profile,
                                 const ClientIdentityView& client) {
  using Verify = ClientIdentityView::Verify;
  if (profile == config::IdentityProfile::kNone) return;
  switch (client.verify) {
    case Verify::kNone:
      fields_.Add("ssl-client-verify", "NONE");
      return;  // there is no certificate to speak of
    case Verify::kSuccess:
      fields_.Add("ssl-client-verify", "SUCCESS");
      break;
    case Verify::kFailed:
      fields_.Add("ssl-client-verify", "FAILED:" + SanitizeValue(client.failure));
      break;
  }
  // nginx sends no field for an empty variable.
  const std::string subject = SanitizeValue(client.subject);
  const std::string issuer = SanitizeValue(client.issuer);
  if (!subject.empty()) fields_.Add("ssl-client-subject-dn", subject);
  if (!issuer.empty()) fields_.Add("ssl-client-issuer-dn", issuer);
  if (!client.leaf_der.empty()) fields_.Add("ssl-client-cert", EscapedPem(client.leaf_der));
}

void IdentityHeaders::Apply(HeaderList& headers) const {
  StripIdentity(headers);
  for (const Header header : fields_) headers.Add(header.name, header.value);
}

bool IsIdentityHeader(std::string_view name) {
  constexpr std::string_view kFirst = "cCsStTxX";
  if (name.empty() || kFirst.find(name.front()) == std::string_view::npos) return false;
  const FoldedName folded(name);
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view prefix) { return folded.text().starts_with(prefix); });
}

void StripIdentity(HeaderList& headers) {
  headers.RemoveIf([](const Header& header) { return IsIdentityHeader(header.name); });
}

std::string EscapedPem(std::span<const uint8_t> der) {
  constexpr size_t kColumns = 64;
  const std::string base64 =
      absl::Base64Escape({reinterpret_cast<const char*>(der.data()), der.size()});
  std::string out;
  out.reserve(base64.size() + base64.size() / 8 + 128);
  AppendEscaped("-----BEGIN CERTIFICATE-----\n", out);
  for (size_t at = 0; at < base64.size(); at += kColumns) {
    AppendEscaped(std::string_view(base64).substr(at, kColumns), out);
    AppendEscaped("\n", out);
  }
  AppendEscaped("-----END CERTIFICATE-----\n", out);
  return out;
}

}  // namespace portcullis::http
