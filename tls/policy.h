// Policy: which verified clients may pass, by what their certificate says. Lists of rules, a rule
// being matchers that must all hold; typed and anchored, without regular expressions. Immutable and
// shared by all workers; evaluation allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/verdict.h"

namespace portcullis::tls {

enum class MatchField : uint8_t {
  kCommonName,          // exact value of any CN
  kOrganization,        // exact value of any O
  kOrganizationalUnit,  // exact value of any OU
  kDns,                 // dNSName SAN: exact, or "*.suffix" (one label or more), ASCII-caseless
  kUri,                 // URI SAN: exact
  kSpiffe,              // SPIFFE ID: "spiffe://trust-domain[/path/prefix]", by whole segments
  kEmail,               // rfc822Name SAN: exact, or "@domain"
  kIp,                  // iPAddress SAN: address or CIDR
  kSubject,             // whole subject DN, RFC 2253
  kIssuer,              // whole issuer DN, RFC 2253
  kSerial,              // hex
  kSha256,              // of the certificate, hex (colons allowed)
  kSpki,                // SHA-256 of the SubjectPublicKeyInfo: hex, or base64 as in sha256/...
  kPolicyOid,           // dotted OID among certificatePolicies
};

// A matcher as configured: any of the values will do.
struct MatchSpec {
  MatchField field = MatchField::kCommonName;
  std::vector<std::string> values;
};

struct RuleSpec {
  std::string name;  // for the log; default: "allow[0]", "deny[2]", ...
  std::vector<MatchSpec> all_of;
};

struct PolicySpec {
  std::vector<RuleSpec> allow;  // empty: everyone whom no deny rule hits
  std::vector<RuleSpec> deny;   // goes before allow
};

class Policy {
 public:
  // Compile checks every value (addresses, hex lengths, OIDs, SPIFFE IDs); errors name rule, field
  // and value.
  static absl::StatusOr<std::shared_ptr<const Policy>> Compile(const PolicySpec& spec);

  struct Decision {
    bool allowed = true;
    std::string_view rule;  // that decided; empty: no rule did (nothing of `allow` fitted)
  };
  [[nodiscard]] Decision Evaluate(const PeerIdentity& identity) const;

  // epoch: hash of the rules, equal in every process given the same ones; 0 for no rules.
  [[nodiscard]] uint64_t epoch() const { return epoch_; }

  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

 private:
  struct Rep;
  Policy();
  std::unique_ptr<Rep> rep_;
  uint64_t epoch_ = 0;
};

// FieldName returns the configuration's word for a field, e.g. "common_name".
[[nodiscard]] std::string_view FieldName(MatchField field);

}  // namespace portcullis::tls
