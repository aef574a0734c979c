// A decision allocates nothing, whichever fields it looks at. Counts calls of operator new, which
// this test replaces.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>

#include "tls/policy.h"

namespace {
size_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace portcullis::tls {
namespace {

TEST(PolicyAllocation, ADecisionNeedsNone) {
  // None of these fits, so that every one is looked at to its end.
  const std::string digest(64, '0');
  const std::vector<MatchSpec> matches = {
      {MatchField::kCommonName, {"a"}},
      {MatchField::kOrganization, {"a"}},
      {MatchField::kOrganizationalUnit, {"a"}},
      {MatchField::kDns, {"a", "*.a", "**.a"}},
      {MatchField::kUri, {"a:b"}},
      {MatchField::kSpiffe, {"spiffe://a/b"}},
      {MatchField::kEmail, {"a@a", "@a"}},
      {MatchField::kIp, {"10.0.0.0/8", "::1"}},
      {MatchField::kSubject, {"CN=a"}},
      {MatchField::kIssuer, {"CN=a"}},
      {MatchField::kSerial, {"1"}},
      {MatchField::kSha256, {digest}},
      {MatchField::kSpki, {digest}},
      {MatchField::kPolicyOid, {"1.2"}},
  };
  ASSERT_EQ(matches.size(), static_cast<size_t>(kNumMatchFields));
  PolicySpec spec;
  for (const MatchSpec& match : matches) spec.deny.push_back({.name = "", .all_of = {match}});
  const auto policy = Policy::Compile(spec);
  ASSERT_TRUE(policy.ok()) << policy.status();
  PeerIdentity identity;
  identity.subject = identity.issuer = "CN=the longest of names, which no small buffer would hold";
  identity.serial_hex = "0123456789ABCDEF0123456789ABCDEF";
  identity.sha256.fill(1);
  identity.spki_sha256.fill(1);
  identity.common_names = identity.organizations = identity.organizational_units = {
      "a value so long that a copy of it would not fit a string's own buffer"};
  identity.dns_names = {"a.name.of.many.labels.which.is.longer.than.a.small.string.example"};
  identity.uris = {"spiffe://a.trust.domain/with/a/path/that/has/very/many/segments"};
  identity.emails = {"somebody.with.a.long.name@a.domain.with.a.long.name.example"};
  identity.ips = {"192.0.2.1", "2001:db8:1234:5678:9abc:def0:1234:5678"};
  identity.policy_oids = {"1.3.6.1.4.1.99999.1.2.3.4.5.6.7.8.9"};
  const size_t before = allocations;
  const bool allowed = (*policy)->Evaluate(identity).allowed;
  EXPECT_EQ(allocations, before);
  EXPECT_TRUE(allowed);
}

}  // namespace
}  // namespace portcullis::tls
