#include "tls/policy.h"

#include <algorithm>
#include <random>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

using ::testing::HasSubstr;

MatchSpec Match(MatchField field, std::vector<std::string> values) {
  return {.field = field, .values = std::move(values)};
}

RuleSpec Rule(std::vector<MatchSpec> all_of, std::string name = {}) {
  return {.name = std::move(name), .all_of = std::move(all_of)};
}

std::shared_ptr<const Policy> Compiled(const PolicySpec& spec) {
  auto policy = Policy::Compile(spec);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *std::move(policy) : nullptr;
}

std::string ErrorOf(const PolicySpec& spec) {
  return std::string(Policy::Compile(spec).status().message());
}

// Whether a policy that allows only those with one of `values` allows `identity`. Denying the same
// must say the opposite.
bool Allows(MatchField field, std::vector<std::string> values, const PeerIdentity& identity) {
  const RuleSpec rule = Rule({Match(field, std::move(values))});
  const bool allowed = Compiled({.allow = {rule}, .deny = {}})->Evaluate(identity).allowed;
  EXPECT_EQ(Compiled({.allow = {}, .deny = {rule}})->Evaluate(identity).allowed, !allowed);
  return allowed;
}

// Whether `identity` is refused by a policy that allows only those with one of `values`, and by one
// that denies them as well: it has a value of which nobody can say whom it names.
bool IsOdd(MatchField field, std::vector<std::string> values, const PeerIdentity& identity) {
  const RuleSpec rule = Rule({Match(field, std::move(values))});
  return !Compiled({.allow = {rule}, .deny = {}})->Evaluate(identity).allowed &&
         !Compiled({.allow = {}, .deny = {rule}})->Evaluate(identity).allowed;
}

TEST(Policy, WithoutRulesEveryonePasses) {
  const auto policy = Compiled({});
  EXPECT_TRUE(policy->Evaluate({}).allowed);
  EXPECT_EQ(policy->Evaluate({}).rule, "");
  EXPECT_EQ(policy->epoch(), 0U);
}

TEST(Policy, AttributesMatchWholeValuesOfAnyOccurrence) {
  PeerIdentity identity;
  identity.common_names = {"alice", "second"};
  identity.organizations = {"Acme"};
  identity.organizational_units = {"ops", "dev"};
  EXPECT_TRUE(Allows(MatchField::kCommonName, {"alice"}, identity));
  EXPECT_TRUE(Allows(MatchField::kCommonName, {"bob", "second"}, identity));
  EXPECT_TRUE(Allows(MatchField::kOrganization, {"Acme"}, identity));
  EXPECT_TRUE(Allows(MatchField::kOrganizationalUnit, {"dev"}, identity));
  for (const char* other :
       {"alic", "alice ", "Alice", "lice", "*", "a.*", "alice,second", "Acme"}) {
    EXPECT_FALSE(Allows(MatchField::kCommonName, {other}, identity)) << other;
  }
  EXPECT_FALSE(Allows(MatchField::kOrganization, {"acme", "ops"}, identity));
  EXPECT_FALSE(Allows(MatchField::kOrganizationalUnit, {"op", "Acme"}, identity));
}

TEST(Policy, AValueWithNulIsOdd) {
  PeerIdentity identity;
  const std::string tail("\0.evil", 6);
  identity.common_names = {"alice" + tail};
  identity.dns_names = {"a.example" + tail, "x" + tail + ".example"};
  identity.uris = {"spiffe://td/a" + tail};
  identity.emails = {"bob@a.example" + tail};
  identity.ips = {"10.0.0.1" + tail};
  EXPECT_TRUE(IsOdd(MatchField::kCommonName, {"alice"}, identity));
  EXPECT_TRUE(IsOdd(MatchField::kDns, {"a.example", "**.evil", "**.example"}, identity));
  EXPECT_TRUE(IsOdd(MatchField::kUri, {"spiffe://td/a"}, identity));
  EXPECT_TRUE(IsOdd(MatchField::kSpiffe, {"spiffe://td/a", "spiffe://td"}, identity));
  EXPECT_TRUE(IsOdd(MatchField::kEmail, {"bob@a.example", "@a.example"}, identity));
  EXPECT_TRUE(IsOdd(MatchField::kIp, {"10.0.0.1", "0.0.0.0/0"}, identity));
}

TEST(Policy, DnsNamesAreCaselessAndWildcardsCountLabels) {
  const auto matches = [](std::string name, std::string value) {
    PeerIdentity identity;
    identity.dns_names = {"unrelated.test", std::move(name)};
    return Allows(MatchField::kDns, {std::move(value)}, identity);
  };
  EXPECT_TRUE(matches("API.Example.com", "api.example.COM"));
  EXPECT_TRUE(matches("api.example.com", "*.example.com"));
  EXPECT_TRUE(matches("api.example.com", "**.example.com"));
  EXPECT_TRUE(matches("a.b.example.com", "**.example.com"));
  EXPECT_TRUE(matches("a.b.example.com", "**.com"));
  EXPECT_FALSE(matches("a.b.example.com", "*.example.com"));
  EXPECT_FALSE(matches("example.com", "*.example.com"));
  EXPECT_FALSE(matches("example.com", "**.example.com"));
  EXPECT_FALSE(matches("evilexample.com", "**.example.com"));
  EXPECT_FALSE(matches("example.com.evil", "**.example.com"));
  EXPECT_FALSE(matches("api.example.com", "example.com"));
  for (const char* name :
       {".example.com", "a..example.com", "api.example.com.", "*.example.com", ""}) {
    PeerIdentity identity;
    identity.dns_names = {"unrelated.test", name};
    EXPECT_TRUE(IsOdd(MatchField::kDns, {"api.example.com", "**.com"}, identity)) << name;
    EXPECT_TRUE(IsOdd(MatchField::kDns, {"x.test"}, identity)) << name;
    EXPECT_FALSE(IsOdd(MatchField::kCommonName, {"x.test"}, identity)) << name;
  }
}

TEST(Policy, UrisMatchByteForByte) {
  PeerIdentity identity;
  identity.uris = {"https://a.example/X", "urn:x"};
  EXPECT_TRUE(Allows(MatchField::kUri, {"urn:x"}, identity));
  EXPECT_FALSE(
      Allows(MatchField::kUri, {"https://a.example/x", "https://a.example/", "urn:y"}, identity));
  identity.uris = {"urn:x", "urn:\u00fc"};
  EXPECT_TRUE(IsOdd(MatchField::kUri, {"urn:y"}, identity));
}

TEST(Policy, SpiffeMatchesTrustDomainAndWholeSegments) {
  const auto matches = [](std::string id, std::string value) {
    PeerIdentity identity;
    identity.uris = {std::move(id)};
    return Allows(MatchField::kSpiffe, {std::move(value)}, identity);
  };
  EXPECT_TRUE(matches("spiffe://td/ns/prod/sa/api", "spiffe://td"));
  EXPECT_TRUE(matches("spiffe://td", "spiffe://td"));
  EXPECT_TRUE(matches("spiffe://td/ns/prod/sa/api", "spiffe://td/ns/prod"));
  EXPECT_TRUE(matches("spiffe://td/ns/prod", "spiffe://td/ns/prod"));
  EXPECT_FALSE(matches("spiffe://td/ns/production", "spiffe://td/ns/prod"));
  EXPECT_FALSE(matches("spiffe://td/ns", "spiffe://td/ns/prod"));
  EXPECT_FALSE(matches("spiffe://td.evil/ns/prod", "spiffe://td"));
  EXPECT_FALSE(matches("spiffe://td/NS/prod", "spiffe://td/ns"));
  EXPECT_FALSE(matches("https://td/ns", "spiffe://td"));
  for (const char* id : {"spiffe://td/ns/prod/../../admin", "spiffe://td/ns/prod/%2e%2e/x",
                         "spiffe://td/ns/", "spiffe://TD/ns", "SPIFFE://td/ns", "spiffe:td"}) {
    PeerIdentity identity;
    identity.uris = {id};
    EXPECT_TRUE(IsOdd(MatchField::kSpiffe, {"spiffe://td", "spiffe://td/ns"}, identity)) << id;
  }
}

TEST(Policy, SeveralUrisAreNoSpiffeId) {
  PeerIdentity identity;
  identity.uris = {"spiffe://td/a", "https://a.example/"};
  EXPECT_TRUE(IsOdd(MatchField::kSpiffe, {"spiffe://td"}, identity));
  identity.uris = {"spiffe://td/a", "spiffe://td/a"};
  EXPECT_TRUE(IsOdd(MatchField::kSpiffe, {"spiffe://td"}, identity));
  identity.uris = {"urn:x", "https://a.example/"};
  EXPECT_FALSE(Allows(MatchField::kSpiffe, {"spiffe://td"}, identity));
  identity.uris = {};
  EXPECT_FALSE(Allows(MatchField::kSpiffe, {"spiffe://td"}, identity));
}

TEST(Policy, MailAddressesAndTheirDomains) {
  const auto matches = [](std::string address, std::string value) {
    PeerIdentity identity;
    identity.emails = {std::move(address)};
    return Allows(MatchField::kEmail, {std::move(value)}, identity);
  };
  EXPECT_TRUE(matches("bob@A.example", "bob@a.Example"));
  EXPECT_TRUE(matches("bob@a.example", "@a.example"));
  EXPECT_FALSE(matches("Bob@a.example", "bob@a.example"));
  EXPECT_FALSE(matches("bob@b.a.example", "@a.example"));
  for (const char* address : {"bob@evil.example@a.example", "bob@a.example@evil.example",
                              "@a.example", "\"x y\"@a.example"}) {
    PeerIdentity identity;
    identity.emails = {address};
    EXPECT_TRUE(IsOdd(MatchField::kEmail, {"@a.example"}, identity)) << address;
  }
}

TEST(Policy, AddressesAndNetworksOfTheirOwnFamily) {
  const auto matches = [](std::string address, std::vector<std::string> values) {
    PeerIdentity identity;
    identity.ips = {std::move(address)};
    return Allows(MatchField::kIp, std::move(values), identity);
  };
  EXPECT_TRUE(matches("10.1.2.3", {"10.1.2.3"}));
  EXPECT_TRUE(matches("10.1.2.3", {"192.168.0.0/16", "10.0.0.0/8"}));
  EXPECT_TRUE(matches("10.1.2.3", {"10.1.2.2/31"}));
  EXPECT_TRUE(matches("2001:db8::1", {"2001:db8::/32"}));
  EXPECT_TRUE(matches("2001:db8::1", {"2001:0db8:0:0::1"}));
  EXPECT_TRUE(matches("::1", {"::/0"}));
  EXPECT_FALSE(matches("10.1.2.3", {"10.1.2.4/31", "11.0.0.0/8", "10.1.2.0", "::/0"}));
  EXPECT_FALSE(matches("2001:db9::1", {"2001:db8::/32", "0.0.0.0/0"}));
  for (const char* address : {"::ffff:10.1.2.3", ""}) {
    PeerIdentity identity;
    identity.ips = {address};
    EXPECT_TRUE(IsOdd(MatchField::kIp, {"10.0.0.0/8"}, identity)) << address;
  }
}

TEST(Policy, NamesSerialsDigestsAndOids) {
  PeerIdentity identity;
  identity.subject = "CN=alice,O=Acme";
  identity.issuer = "CN=root";
  identity.serial_hex = "00ABCD";
  identity.sha256.fill(0x11);
  identity.spki_sha256.fill(0x22);
  identity.policy_oids = {"1.2.3", "1.2.4"};
  std::string ones, twos;
  for (int i = 0; i < 32; ++i) ones += "11", twos += "22";
  EXPECT_TRUE(Allows(MatchField::kSubject, {"CN=alice,O=Acme"}, identity));
  EXPECT_FALSE(Allows(MatchField::kSubject, {"CN=alice", "cn=alice,o=acme"}, identity));
  EXPECT_TRUE(Allows(MatchField::kIssuer, {"CN=root"}, identity));
  EXPECT_FALSE(Allows(MatchField::kIssuer, {"CN=alice,O=Acme"}, identity));
  EXPECT_TRUE(Allows(MatchField::kSerial, {"ab:cd"}, identity));
  EXPECT_FALSE(Allows(MatchField::kSerial, {"abcd00", "bcd"}, identity));
  EXPECT_TRUE(Allows(MatchField::kSha256, {ones}, identity));
  EXPECT_FALSE(Allows(MatchField::kSha256, {twos}, identity));
  EXPECT_TRUE(Allows(MatchField::kSpki, {twos}, identity));
  EXPECT_FALSE(Allows(MatchField::kSpki, {ones}, identity));
  EXPECT_TRUE(Allows(MatchField::kPolicyOid, {"1.2.4"}, identity));
  EXPECT_FALSE(Allows(MatchField::kPolicyOid, {"1.2", "1.2.4.1"}, identity));
  identity.serial_hex = "-0A";
  EXPECT_TRUE(IsOdd(MatchField::kSerial, {"A"}, identity));
  identity.policy_oids = {"1.2.3", ""};  // one that is too long to be written out
  EXPECT_TRUE(IsOdd(MatchField::kPolicyOid, {"1.2.4"}, identity));
}

TEST(Policy, AnOddValueDeniesOnlyWhereTheRestOfTheRuleFits) {
  const auto policy = Compiled({.deny = {Rule({Match(MatchField::kDns, {"a.example"}),
                                               Match(MatchField::kOrganization, {"Acme"})})}});
  PeerIdentity identity;
  identity.dns_names = {"b.example."};
  EXPECT_TRUE(policy->Evaluate(identity).allowed);
  identity.organizations = {"Acme"};
  EXPECT_FALSE(policy->Evaluate(identity).allowed);
}

TEST(Policy, ARuleNeedsAllItsMatchersAndTheFirstNamesTheDecision) {
  const auto policy = Compiled({.allow = {Rule({Match(MatchField::kCommonName, {"alice", "bob"}),
                                                Match(MatchField::kOrganizationalUnit, {"ops"})},
                                               "ops"),
                                          Rule({Match(MatchField::kOrganization, {"Acme"})})},
                                .deny = {Rule({Match(MatchField::kCommonName, {"bob"})})}});
  PeerIdentity identity;
  identity.common_names = {"alice"};
  EXPECT_FALSE(policy->Evaluate(identity).allowed);
  EXPECT_EQ(policy->Evaluate(identity).rule, "");
  identity.organizational_units = {"ops"};
  EXPECT_TRUE(policy->Evaluate(identity).allowed);
  EXPECT_EQ(policy->Evaluate(identity).rule, "ops");
  identity.organizational_units = {};
  identity.organizations = {"Acme"};
  EXPECT_EQ(policy->Evaluate(identity).rule, "allow[1]");
  identity.common_names = {"bob"};
  EXPECT_FALSE(policy->Evaluate(identity).allowed);
  EXPECT_EQ(policy->Evaluate(identity).rule, "deny[0]");
}

TEST(Policy, MistakesAreNamed) {
  EXPECT_EQ(ErrorOf({.allow = {Rule({Match(MatchField::kIp, {"10.0.0.1/8"})}, "net")}, .deny = {}}),
            "policy rule allow[0] 'net': ip: found '10.0.0.1/8'; allowed: an IPv4 or IPv6 address, "
            "or a network such as 10.0.0.0/8 or 2001:db8::/32; the address has bits set beyond its "
            "prefix");
  EXPECT_EQ(ErrorOf({.allow = {}, .deny = {Rule({})}}),
            "policy rule deny[0]: it has nothing to match");
  EXPECT_THAT(ErrorOf({.allow = {Rule({Match(MatchField::kDns, {})})}, .deny = {}}),
              HasSubstr("allow[0]: dns: found no value"));
  const RuleSpec named = Rule({Match(MatchField::kCommonName, {"a"})}, "x");
  EXPECT_EQ(ErrorOf({.allow = {named}, .deny = {named}}),
            "policy rule deny[0] 'x': its name is another rule's too");
}

TEST(Policy, TheEpochIsOfWhatIsSaidNotHow) {
  const auto epoch = [](std::vector<RuleSpec> allow, std::vector<RuleSpec> deny) {
    return Compiled({.allow = std::move(allow), .deny = std::move(deny)})->epoch();
  };
  const auto cn = [](std::vector<std::string> values) {
    return Rule({Match(MatchField::kCommonName, std::move(values))});
  };
  const auto dns = [](std::vector<std::string> values) {
    return Rule({Match(MatchField::kDns, std::move(values))});
  };
  EXPECT_EQ(epoch({cn({"a", "b"})}, {}), epoch({cn({"b", "a", "b"})}, {}));
  EXPECT_EQ(epoch({dns({"A.b"})}, {}), epoch({dns({"a.B"})}, {}));
  RuleSpec named = cn({"a"});
  named.name = "x";
  EXPECT_EQ(epoch({named}, {}), epoch({cn({"a"})}, {}));
  const std::set<uint64_t> different = {
      epoch({cn({"a"})}, {}),
      epoch({}, {cn({"a"})}),
      epoch({cn({"a", "b"})}, {}),
      epoch({cn({"ab"})}, {}),
      epoch({cn({"a"}), cn({"b"})}, {}),
      epoch({dns({"a"})}, {}),
      epoch({dns({"*.a"})}, {}),
      epoch({dns({"**.a"})}, {}),
      epoch({Rule({Match(MatchField::kCommonName, {"a"}), Match(MatchField::kDns, {"a"})})}, {}),
      epoch({cn({"a"})}, {dns({"a"})}),
  };
  EXPECT_EQ(different.size(), 10U);
  // The same in every process, so in every run.
  EXPECT_EQ(epoch({cn({"a"})}, {}), 10922501775214115927U);
}

// Against a plain reading of the rules, on identities and policies from a small world so that hits
// are common.
TEST(PolicyProperty, AgreesWithASlowReading) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](size_t bound) { return random() % bound; };
  const std::vector<std::string> labels = {"a", "b", "xa"};
  const auto dns_name = [&](size_t depth) {
    std::string name = labels[pick(3)];
    for (size_t i = 0; i < depth; ++i) name += "." + labels[pick(3)];
    return name;
  };
  const auto slow_dns = [](const std::string& name, const std::string& value) {
    if (!value.starts_with('*')) return name == value;
    const std::string suffix = value.substr(value.find('.'));
    if (name.size() <= suffix.size() || !name.ends_with(suffix)) return false;
    return value.starts_with("**") || name.find('.') == name.size() - suffix.size();
  };
  const auto slow_rule = [&](const RuleSpec& rule, const PeerIdentity& identity) {
    return std::all_of(rule.all_of.begin(), rule.all_of.end(), [&](const MatchSpec& match) {
      return std::any_of(match.values.begin(), match.values.end(), [&](const std::string& value) {
        if (match.field == MatchField::kCommonName) return identity.common_names[0] == value;
        return std::any_of(identity.dns_names.begin(), identity.dns_names.end(),
                           [&](const std::string& name) { return slow_dns(name, value); });
      });
    });
  };
  const auto rules = [&] {
    std::vector<RuleSpec> made(pick(3));
    for (RuleSpec& rule : made) {
      rule.all_of.resize(1 + pick(2));
      for (MatchSpec& match : rule.all_of) {
        match.field = pick(2) == 0 ? MatchField::kCommonName : MatchField::kDns;
        match.values.resize(1 + pick(3));
        for (std::string& value : match.values) {
          const char* const prefixes[] = {"", "*.", "**."};
          value = match.field == MatchField::kCommonName ? labels[pick(3)]
                                                         : prefixes[pick(3)] + dns_name(pick(3));
        }
      }
    }
    return made;
  };
  for (int i = 0; i < 2000; ++i) {
    const PolicySpec spec{.allow = rules(), .deny = rules()};
    const auto policy = Compiled(spec);
    for (int j = 0; j < 10; ++j) {
      PeerIdentity identity;
      identity.common_names = {labels[pick(3)]};
      for (size_t k = pick(3); k > 0; --k) identity.dns_names.push_back(dns_name(pick(4)));
      const auto hit = [&](const RuleSpec& rule) { return slow_rule(rule, identity); };
      const bool denied = std::any_of(spec.deny.begin(), spec.deny.end(), hit);
      const bool allowed =
          spec.allow.empty() || std::any_of(spec.allow.begin(), spec.allow.end(), hit);
      ASSERT_EQ(policy->Evaluate(identity).allowed, !denied && allowed);
    }
  }
}

}  // namespace
}  // namespace portcullis::tls
