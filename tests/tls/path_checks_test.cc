#include "tls/path_checks.h"

#include <openssl/digest.h>

#include <initializer_list>
#include <string>

#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using testing::MakeCa;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeSelfSigned;
using testing::TestCertificate;
using testing::TestKey;

PathFault Check(std::initializer_list<const TestCertificate*> path) {
  const bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  for (const TestCertificate* const certificate : path) {
    EXPECT_TRUE(bssl::PushToStack(stack.get(), bssl::UpRef(certificate->x509())));
  }
  return CheckPath(stack.get(), testing::kNow);
}

class PathChecksTest : public ::testing::Test {
 protected:
  const TestCertificate root_ = MakeRoot({.common_name = "root"});
};

TEST_F(PathChecksTest, AStrongPathHasNoFault) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .key = TestKey::kEcP384});
  const TestCertificate leaf = MakeLeaf(ca, {.key = TestKey::kRsa2048});
  EXPECT_EQ(Check({&leaf, &ca, &root_}).reason, Rejection::kNone);
}

TEST_F(PathChecksTest, TheWeakestKeyIsFoundAtItsDepth) {
  const TestCertificate weak_root = MakeRoot({.common_name = "weak", .key = TestKey::kRsa1024});
  const TestCertificate leaf = MakeLeaf(weak_root, {});
  const PathFault fault = Check({&leaf, &weak_root});
  EXPECT_EQ(fault.reason, Rejection::kWeakKey);
  EXPECT_EQ(fault.depth, 1U);
  EXPECT_NE(fault.x509_error, 0);
}

TEST_F(PathChecksTest, TheAnchorsOwnSignatureDoesNotMatter) {
  const TestCertificate old_root = MakeRoot({.common_name = "old", .digest = EVP_sha1()});
  const TestCertificate leaf = MakeLeaf(old_root, {});
  EXPECT_TRUE(IsWeakSignature(old_root.x509()));
  EXPECT_EQ(Check({&leaf, &old_root}).reason, Rejection::kNone);
  const TestCertificate weak_leaf = MakeLeaf(root_, {.digest = EVP_sha1()});
  EXPECT_EQ(Check({&weak_leaf, &root_}).reason, Rejection::kWeakKey);
  EXPECT_EQ(Check({&weak_leaf}).reason, Rejection::kNone);  // pinned: its own anchor
}

TEST_F(PathChecksTest, TheAnchorsPathLengthCountsIntermediates) {
  const TestCertificate bound = MakeRoot({.common_name = "bound", .path_length = 1});
  const TestCertificate upper = MakeCa(bound, {.common_name = "upper"});
  const TestCertificate lower = MakeCa(upper, {.common_name = "lower"});
  const TestCertificate leaf = MakeLeaf(lower, {});
  EXPECT_EQ(Check({&leaf, &upper, &bound}).reason, Rejection::kNone);
  const PathFault fault = Check({&leaf, &lower, &upper, &bound});
  EXPECT_EQ(fault.reason, Rejection::kBadCertificate);
  EXPECT_EQ(fault.depth, 3U);
}

TEST_F(PathChecksTest, SelfIssuedIntermediatesDoNotCount) {
  const TestCertificate bound = MakeRoot({.common_name = "bound", .path_length = 0});
  const TestCertificate rollover = MakeCa(bound, {.common_name = "bound"});
  const TestCertificate leaf = MakeLeaf(rollover, {});
  EXPECT_EQ(Check({&leaf, &rollover, &bound}).reason, Rejection::kNone);
}

TEST_F(PathChecksTest, OnlyWhatDoesNotDenyBeingACaMayIssue) {
  EXPECT_TRUE(MayIssue(root_.x509()));
  EXPECT_TRUE(MayIssue(MakeCa(root_, {.common_name = "ca"}).x509()));
  EXPECT_TRUE(MayIssue(MakeSelfSigned({.v1 = true}).x509()));
  EXPECT_TRUE(MayIssue(MakeSelfSigned({.omit_basic_constraints = true}).x509()));
  EXPECT_FALSE(MayIssue(MakeSelfSigned({}).x509()));
  EXPECT_FALSE(MayIssue(
      MakeSelfSigned({.omit_basic_constraints = true, .key_usage = "critical,digitalSignature"})
          .x509()));
  EXPECT_FALSE(MayIssue(MakeLeaf(root_, {}).x509()));
  EXPECT_FALSE(MayIssue(MakeLeaf(root_, {.v1 = true}).x509()));
  EXPECT_FALSE(MayIssue(MakeLeaf(root_, {.omit_basic_constraints = true}).x509()));
}

}  // namespace
}  // namespace portcullis::tls
