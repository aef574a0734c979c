// Identity headers: how a backend learns who the client proved to be. The fields of every known
// profile are stripped from every request, also where this host sets none, so that nobody can claim
// an identity (any case, '_' for '-').
//
// IdentityHeaders is built once a connection, when its verdict is known, and applied to each of its
// requests; owned by the connection, its thread only. Knows no TLS types: the connection fills
// ClientIdentityView.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/config/config.h"
#include "core/http/header_list.h"

namespace portcullis::http {

// Borrowed for the constructor's call.
struct ClientIdentityView {
  enum class Verify : uint8_t { kNone, kSuccess, kFailed };
  Verify verify = Verify::kNone;  // kNone: no certificate was presented
  std::string_view failure = {};  // kFailed: OpenSSL's text, e.g. "certificate has expired"
  std::string_view subject = {};  // RFC 2253; the client chose it: sanitised here
  std::string_view issuer = {};
  std::string_view serial = {};            // hex
  std::span<const uint8_t> leaf_der = {};  // empty: not to be passed on
};

class IdentityHeaders {
 public:
  // Strips only.
  IdentityHeaders() = default;
  // For kIngressNginx: ssl-client-verify (SUCCESS, NONE or FAILED:<text>), ssl-client-subject-dn
  // and -issuer-dn where there is a certificate, and ssl-client-cert (URL-encoded PEM) if
  // `leaf_der` is given.
  IdentityHeaders(config::IdentityProfile profile, const ClientIdentityView& client);

  // Apply strips every profile's fields, then adds these.
  void Apply(HeaderList& headers) const;
  [[nodiscard]] const HeaderList& fields() const { return fields_; }

 private:
  HeaderList fields_;
};

// IsIdentityHeader tells whether `name` belongs to any profile, known here or not set by us.
[[nodiscard]] bool IsIdentityHeader(std::string_view name);
void StripIdentity(HeaderList& headers);

// EscapedPem is DER as PEM (64 columns, final newline), percent-encoded but for unreserved
// characters, as nginx's $ssl_client_escaped_cert.
[[nodiscard]] std::string EscapedPem(std::span<const uint8_t> der);

}  // namespace portcullis::http
