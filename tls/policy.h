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

// Every matcher compares whole values. A value of the certificate that holds NUL, or that is not
// well-formed for its field (a DNS name with a `*`, an address with two `@`, ...), matches nothing
// that allows. What denies by that field fits whoever has such a value, or an ambiguous one (a
// SPIFFE ID beside another URI, an IPv4 address within IPv6): it may be whom the rule means.
enum class MatchField : uint8_t {
  kCommonName,          // exact value of any CN: bytes, UTF-8, case counts
  kOrganization,        // exact value of any O, likewise
  kOrganizationalUnit,  // exact value of any OU, likewise
  kDns,        // dNSName SAN: exact; "*.suffix": one label more; "**.suffix": one or more. Caseless
  kUri,        // URI SAN: exact, case counts
  kSpiffe,     // "spiffe://trust-domain[/path/prefix]", by whole segments. A certificate with any
               // other number of URI SANs than one has no SPIFFE ID (X.509-SVID section 2)
  kEmail,      // rfc822Name SAN: exact, or "@domain" (not its subdomains); the domain is caseless
  kIp,         // iPAddress SAN: address or CIDR, IPv4 or IPv6; neither matches the other
  kSubject,    // whole subject DN as PeerIdentity::subject has it (RFC 2253)
  kIssuer,     // whole issuer DN, likewise
  kSerial,     // hex; leading zeros, case and colons do not count
  kSha256,     // of the certificate's DER: hex, colons allowed
  kSpki,       // SHA-256 of the SubjectPublicKeyInfo: hex, or base64, also as sha256/...
  kPolicyOid,  // dotted OID among certificatePolicies
};

inline constexpr int kNumMatchFields = static_cast<int>(MatchField::kPolicyOid) + 1;

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
  std::vector<RuleSpec> allow = {};  // empty: everyone whom no deny rule hits
  std::vector<RuleSpec> deny = {};   // goes before allow
};

class Policy {
 public:
  // Compile checks every value (addresses, hex lengths, OIDs, SPIFFE IDs); errors name rule, field,
  // value and what is allowed. A rule needs a matcher, a matcher a value, and names are unique.
  static absl::StatusOr<std::shared_ptr<const Policy>> Compile(const PolicySpec& spec);

  struct Decision {
    bool allowed = true;
    // The rule that decided, a view into the Policy; empty: none did (nothing of `allow` fitted, or
    // there is nothing in it).
    std::string_view rule;
  };
  // Evaluate costs O(log values) a matcher.
  [[nodiscard]] Decision Evaluate(const PeerIdentity& identity) const;

  // epoch: hash of the rules, equal in every process given the same ones, however their values are
  // spelt and ordered; the names of rules are no part of it. 0 for no rules.
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
