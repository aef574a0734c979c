// Verifiers are shared by who asks the same, and by nobody else.
#include "tls/verifier_set.h"

#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using testing::MakeRoot;
using testing::MakeTrust;
using testing::TestCertificate;

TEST(VerifierSetTest, GivesOneForEachTrustAndSetOfOptions) {
  const TestCertificate root = MakeRoot({.common_name = "root"});
  const auto trust = MakeTrust({&root});
  const auto other = MakeTrust({&root});
  VerifierSet set;
  const VerifierOptions options;
  ClientVerifier* const verifier = *set.Get(trust, options);
  ASSERT_NE(verifier, nullptr);
  EXPECT_EQ(*set.Get(trust, options), verifier);
  EXPECT_EQ(set.size(), 1U);
  EXPECT_NE(*set.Get(other, options), verifier);
  EXPECT_NE(*set.Get(trust, {.max_depth = 1}), verifier);
  EXPECT_NE(*set.Get(trust, {.max_chain_bytes = 1000}), verifier);
  EXPECT_NE(*set.Get(trust, {.profile = Profile::kStrict}), verifier);
  EXPECT_NE(*set.Get(trust, {.intermediates_as_anchors = false}), verifier);
  EXPECT_EQ(set.size(), 6U);
  EXPECT_EQ(*set.Get(trust, options), verifier);
}

}  // namespace
}  // namespace portcullis::tls
