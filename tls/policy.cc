#include "tls/policy.h"

#include <openssl/sha.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "tls/absl_text.h"
#include "tls/match_values.h"

namespace portcullis::tls {
namespace {

constexpr std::string_view kFieldNames[kNumMatchFields] = {
    "common_name", "organization", "organizational_unit",
    "dns",         "uri",          "spiffe",
    "email",       "ip",           "subject",
    "issuer",      "serial",       "sha256",
    "spki",        "policy_oid"};

// Canonical values (CanonicalValue) in order, each once.
class ValueSet {
 public:
  explicit ValueSet(std::vector<std::string> values) : values_(std::move(values)) {
    std::sort(values_.begin(), values_.end());
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
  }
  [[nodiscard]] bool Has(std::string_view value) const {
    return std::binary_search(values_.begin(), values_.end(), value, std::less<>());
  }
  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

struct Matcher {
  MatchField field;
  ValueSet values;
  // kDns: the ".suffix" of each "**.suffix".
  ValueSet deep_suffixes;
  // kIp: family and bits of the networks among the values, as they begin IpKey.
  std::vector<std::pair<char, char>> prefixes;
};

struct Rule {
  std::string name;
  std::vector<Matcher> all_of;
};

bool AnyOf(const std::vector<std::string>& of_certificate, const ValueSet& values) {
  return std::any_of(of_certificate.begin(), of_certificate.end(),
                     [&](const std::string& value) { return values.Has(value); });
}

bool HasText(const ValueSet& values, const Sha256& digest) {
  return values.Has({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool MatchesDns(const Matcher& matcher, std::string_view name) {
  std::array<char, kMaxDnsBytes> buffer;
  const std::optional<std::string_view> lower = LowerDnsName(name, buffer);
  if (!lower) return false;
  if (matcher.values.Has(*lower)) return true;
  size_t dot = lower->find('.');
  if (dot != std::string_view::npos && matcher.values.Has(lower->substr(dot))) return true;
  for (; dot != std::string_view::npos; dot = lower->find('.', dot + 1)) {
    if (matcher.deep_suffixes.Has(lower->substr(dot))) return true;
  }
  return false;
}

bool MatchesEmail(const Matcher& matcher, std::string_view address) {
  std::array<char, kMaxEmailBytes> buffer;
  const std::optional<std::string_view> lower = LowerEmailDomain(address, buffer);
  return lower &&
         (matcher.values.Has(*lower) || matcher.values.Has(lower->substr(lower->find('@'))));
}

bool MatchesIp(const Matcher& matcher, std::string_view text) {
  const std::optional<IpAddress> address = ParseIp(text);
  if (!address) return false;
  const char family = MakeIpKey(*address, 0)[0];
  return std::any_of(matcher.prefixes.begin(), matcher.prefixes.end(), [&](const auto& prefix) {
    if (prefix.first != family) return false;
    const IpKey key = MakeIpKey(*address, static_cast<uint8_t>(prefix.second));
    return matcher.values.Has({key.data(), key.size()});
  });
}

bool MatchesSpiffe(const Matcher& matcher, const std::vector<std::string>& uris) {
  if (uris.size() != 1 || !IsSpiffeId(uris.front())) return false;
  std::string_view id = uris.front();
  while (true) {
    if (matcher.values.Has(id)) return true;
    const size_t slash = id.rfind('/');
    // What is left once the path is gone is "spiffe://trust-domain".
    if (slash < std::string_view("spiffe://").size()) return false;
    id = id.substr(0, slash);
  }
}

template <typename F>
bool AnyName(const Matcher& matcher, const std::vector<std::string>& names, F matches) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return matches(matcher, name); });
}

bool Matches(const Matcher& matcher, const PeerIdentity& identity) {
  switch (matcher.field) {
    case MatchField::kCommonName:
      return AnyOf(identity.common_names, matcher.values);
    case MatchField::kOrganization:
      return AnyOf(identity.organizations, matcher.values);
    case MatchField::kOrganizationalUnit:
      return AnyOf(identity.organizational_units, matcher.values);
    case MatchField::kDns:
      return AnyName(matcher, identity.dns_names, MatchesDns);
    case MatchField::kUri:
      return AnyOf(identity.uris, matcher.values);
    case MatchField::kSpiffe:
      return MatchesSpiffe(matcher, identity.uris);
    case MatchField::kEmail:
      return AnyName(matcher, identity.emails, MatchesEmail);
    case MatchField::kIp:
      return AnyName(matcher, identity.ips, MatchesIp);
    case MatchField::kSubject:
      return matcher.values.Has(identity.subject);
    case MatchField::kIssuer:
      return matcher.values.Has(identity.issuer);
    case MatchField::kSerial:
      return matcher.values.Has(SerialDigits(identity.serial_hex));
    case MatchField::kSha256:
      return HasText(matcher.values, identity.sha256);
    case MatchField::kSpki:
      return HasText(matcher.values, identity.spki_sha256);
    case MatchField::kPolicyOid:
      return AnyOf(identity.policy_oids, matcher.values);
  }
  return false;
}

bool HasNul(const std::vector<std::string>& values) {
  return std::any_of(values.begin(), values.end(), [](const std::string& value) {
    return value.find('\0') != std::string::npos;
  });
}

bool IsDnsName(std::string_view name) {
  std::array<char, kMaxDnsBytes> buffer;
  return LowerDnsName(name, buffer).has_value();
}

bool IsEmail(std::string_view address) {
  std::array<char, kMaxEmailBytes> buffer;
  return LowerEmailDomain(address, buffer).has_value();
}

// Written so that only one network can be meant: an IPv4 address within IPv6 is two things at once.
bool IsPlainIp(std::string_view text) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const std::optional<IpAddress> address = ParseIp(text);
  return address &&
         !(address->v6 && std::equal(kMapped.begin(), kMapped.end(), address->bytes.begin()));
}

// Those who mean to have a SPIFFE ID have one that is well-formed, and no other URI beside it.
bool HasOddSpiffe(const std::vector<std::string>& uris) {
  return std::any_of(uris.begin(), uris.end(), [&uris](const std::string& uri) {
    if (!IsUri(uri)) return true;
    const bool is_spiffe = absl::StartsWithIgnoreCase(uri, "spiffe:");
    return is_spiffe && (uris.size() != 1 || !IsSpiffeId(uri));
  });
}

bool AnyNot(const std::vector<std::string>& values, bool (*is_well_formed)(std::string_view)) {
  return !std::all_of(values.begin(), values.end(), is_well_formed);
}

// Whether what the certificate has for `field` is malformed or ambiguous, so that nobody can say
// whom it names.
bool IsOdd(MatchField field, const PeerIdentity& identity) {
  switch (field) {
    case MatchField::kCommonName:
      return HasNul(identity.common_names);
    case MatchField::kOrganization:
      return HasNul(identity.organizations);
    case MatchField::kOrganizationalUnit:
      return HasNul(identity.organizational_units);
    case MatchField::kDns:
      return AnyNot(identity.dns_names, IsDnsName);
    case MatchField::kUri:
      return AnyNot(identity.uris, IsUri);
    case MatchField::kSpiffe:
      return HasOddSpiffe(identity.uris);
    case MatchField::kEmail:
      return AnyNot(identity.emails, IsEmail);
    case MatchField::kIp:
      return AnyNot(identity.ips, IsPlainIp);
    case MatchField::kPolicyOid:
      return AnyNot(identity.policy_oids, [](std::string_view oid) { return !oid.empty(); });
    case MatchField::kSerial:
      return identity.serial_hex.starts_with('-');
    case MatchField::kSubject:
    case MatchField::kIssuer:
    case MatchField::kSha256:
    case MatchField::kSpki:
      return false;  // computed, in one form
  }
  return false;
}

// How a rule takes odd values: what allows must be sure of whom, what denies need not.
enum class Odd : uint8_t { kFitsNothing, kFitsAll };

const Rule* FirstHit(const std::vector<Rule>& rules, const PeerIdentity& identity, Odd odd) {
  const auto fits = [&](const Matcher& matcher) {
    return Matches(matcher, identity) || (odd == Odd::kFitsAll && IsOdd(matcher.field, identity));
  };
  const auto hit = std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) {
    return std::all_of(rule.all_of.begin(), rule.all_of.end(), fits);
  });
  return hit == rules.end() ? nullptr : &*hit;
}

absl::StatusOr<Matcher> CompileMatcher(const MatchSpec& spec) {
  if (spec.values.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(AbslText(FieldName(spec.field)),
                     ": found no value; allowed: ", AbslText(AllowedValues(spec.field))));
  }
  std::vector<std::string> values, deep;
  std::set<std::pair<char, char>> prefixes;
  for (const std::string& value : spec.values) {
    absl::StatusOr<std::string> canonical = CanonicalValue(spec.field, value);
    if (!canonical.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          AbslText(FieldName(spec.field)), ": found '", value,
          "'; allowed: ", AbslText(AllowedValues(spec.field)), "; ", canonical.status().message()));
    }
    if (spec.field == MatchField::kIp) prefixes.emplace((*canonical)[0], (*canonical)[1]);
    const bool is_deep = spec.field == MatchField::kDns && canonical->starts_with("..");
    (is_deep ? deep : values).push_back(is_deep ? canonical->substr(1) : *std::move(canonical));
  }
  return Matcher{.field = spec.field,
                 .values = ValueSet(std::move(values)),
                 .deep_suffixes = ValueSet(std::move(deep)),
                 .prefixes = {prefixes.begin(), prefixes.end()}};
}

absl::Status CompileRules(const std::vector<RuleSpec>& specs, const char* list,
                          std::set<std::string>& names, std::vector<Rule>& rules) {
  for (size_t i = 0; i < specs.size(); ++i) {
    const std::string place = absl::StrCat(list, "[", i, "]");
    Rule rule;
    rule.name = specs[i].name.empty() ? place : specs[i].name;
    const auto wrong = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(
          "policy rule ", place, rule.name == place ? "" : " '" + rule.name + "'", ": ", what));
    };
    if (!names.insert(rule.name).second) return wrong("its name is another rule's too");
    if (specs[i].all_of.empty()) return wrong("it has nothing to match");
    for (const MatchSpec& spec : specs[i].all_of) {
      absl::StatusOr<Matcher> matcher = CompileMatcher(spec);
      if (!matcher.ok()) return wrong(matcher.status().message());
      rule.all_of.push_back(*std::move(matcher));
    }
    rules.push_back(std::move(rule));
  }
  return absl::OkStatus();
}

// SHA-256 over texts and numbers, none of which can be taken for the next one's.
class Digest {
 public:
  Digest() { SHA256_Init(&context_); }
  void Add(uint64_t number) {
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    SHA256_Update(&context_, bytes, sizeof(bytes));
  }
  void Add(std::string_view text) {
    Add(text.size());
    SHA256_Update(&context_, text.data(), text.size());
  }
  void Add(const ValueSet& values) {
    Add(values.values().size());
    for (const std::string& value : values.values()) Add(value);
  }
  void Add(const std::vector<Rule>& rules) {
    Add(rules.size());
    for (const Rule& rule : rules) {
      Add(rule.all_of.size());
      for (const Matcher& matcher : rule.all_of) {
        Add(FieldName(matcher.field));
        Add(matcher.values);
        Add(matcher.deep_suffixes);
      }
    }
  }
  // The first 8 bytes, never 0.
  uint64_t Finish() {
    Sha256 digest;
    SHA256_Final(digest.data(), &context_);
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof(number); ++i) number = number << 8 | digest[i];
    return std::max<uint64_t>(number, 1);
  }

 private:
  SHA256_CTX context_;
};

}  // namespace

struct Policy::Rep {
  std::vector<Rule> allow;
  std::vector<Rule> deny;
};

Policy::Policy() : rep_(std::make_unique<Rep>()) {}
Policy::~Policy() = default;

absl::StatusOr<std::shared_ptr<const Policy>> Policy::Compile(const PolicySpec& spec) {
  std::shared_ptr<Policy> policy(new Policy());
  std::set<std::string> names;
  absl::Status status = CompileRules(spec.allow, "allow", names, policy->rep_->allow);
  if (status.ok()) status = CompileRules(spec.deny, "deny", names, policy->rep_->deny);
  if (!status.ok()) return status;
  if (!spec.allow.empty() || !spec.deny.empty()) {
    Digest digest;
    digest.Add(policy->rep_->allow);
    digest.Add(policy->rep_->deny);
    policy->epoch_ = digest.Finish();
  }
  return policy;
}

Policy::Decision Policy::Evaluate(const PeerIdentity& identity) const {
  if (const Rule* denied = FirstHit(rep_->deny, identity, Odd::kFitsAll)) {
    return {false, denied->name};
  }
  if (rep_->allow.empty()) return {true, {}};
  if (const Rule* allowed = FirstHit(rep_->allow, identity, Odd::kFitsNothing))
    return {true, allowed->name};
  return {false, {}};
}

std::string_view FieldName(MatchField field) { return kFieldNames[static_cast<size_t>(field)]; }

}  // namespace portcullis::tls
