// The rules of the strict profile, a row each: what must hold, of which certificate of a path, and
// the reason when it does not. The groups are in files of their own; tls/strict_profile.h applies
// them. Constant data and pure functions, any thread.
#pragma once

#include <openssl/x509.h>

#include <span>
#include <string_view>

#include "tls/certificate_fields.h"
#include "tls/rejection.h"

namespace portcullis::tls {

// One certificate of a path, and where in it.
struct StrictSubject {
  X509* certificate = nullptr;
  const CertificateFields* fields = nullptr;
  bool is_leaf = false;      // the client's own; every other one vouches for the one before it
  bool is_anchor = false;    // the last of the path; may be the leaf too
  bool self_issued = false;  // issuer and subject are one name
};

struct StrictRule {
  std::string_view fault;  // what a certificate that breaks it is charged with: log and `verify`
  Rejection reason;
  bool (*holds)(const StrictSubject& subject);
};

// FormRules: version, serial number, names, validity, algorithms (RFC 5280 4.1).
[[nodiscard]] std::span<const StrictRule> FormRules();
// ExtensionRules: which extensions, how often, critical or not, well formed (RFC 5280 4.2).
[[nodiscard]] std::span<const StrictRule> ExtensionRules();
// UsageRules: basicConstraints, keyUsage and extKeyUsage (RFC 5280 4.2.1.3, .9 and .12).
[[nodiscard]] std::span<const StrictRule> UsageRules();
// NameRules: subjectAltName, common names, nameConstraints (RFC 5280 4.2.1.6 and .10).
[[nodiscard]] std::span<const StrictRule> NameRules();
// ClientRules: what a client's own certificate must have: a name (RFC 5280 4.1.2.6), and where that
// is a host's, subjectAltName and extKeyUsage, which RFC 5280 leaves optional and the CA/Browser
// Forum (7.1.2.7), whose business hosts are, does not.
[[nodiscard]] std::span<const StrictRule> ClientRules();

}  // namespace portcullis::tls
