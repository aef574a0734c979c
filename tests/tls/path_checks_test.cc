#include "tls/path_checks.h"

#include <openssl/digest.h>
#include <openssl/x509.h>

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

TEST_F(PathChecksTest, ACertificateIsHeldToItsRole) {
  const auto check = [](const TestCertificate& certificate, PathRole role) {
    return CheckCertificate(certificate.x509(), role, testing::kNow).x509_error;
  };
  const TestCertificate leaf = MakeLeaf(root_, {});
  EXPECT_EQ(check(leaf, PathRole::kLeaf), X509_V_OK);
  EXPECT_EQ(check(leaf, PathRole::kPinned), X509_V_OK);
  EXPECT_EQ(check(leaf, PathRole::kIntermediate), X509_V_ERR_INVALID_CA);
  const TestCertificate odd = MakeCa(root_, {.common_name = "odd", .unknown_critical = true});
  EXPECT_EQ(check(odd, PathRole::kIntermediate), X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION);
  EXPECT_EQ(check(odd, PathRole::kAnchor), X509_V_OK);
  const TestCertificate server =
      MakeCa(root_, {.common_name = "server", .extended_key_usage = "serverAuth"});
  for (const PathRole role :
       {PathRole::kLeaf, PathRole::kIntermediate, PathRole::kAnchor, PathRole::kPinned}) {
    EXPECT_EQ(check(server, role), X509_V_ERR_INVALID_PURPOSE);
  }
  const TestCertificate any =
      MakeRoot({.common_name = "any", .extended_key_usage = "anyExtendedKeyUsage"});
  EXPECT_EQ(check(any, PathRole::kAnchor), X509_V_OK);
  const TestCertificate no_proof = MakeLeaf(root_, {.key_usage = "critical,keyCertSign"});
  EXPECT_EQ(check(no_proof, PathRole::kPinned), X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(PathChecksTest, ValidityIncludesBothItsEnds) {
  const TestCertificate leaf =
      MakeLeaf(root_, {.not_before = testing::kNow, .not_after = testing::kNow + 10});
  const auto at = [&leaf](int64_t now) {
    return CheckCertificate(leaf.x509(), PathRole::kLeaf, now).reason;
  };
  EXPECT_EQ(at(testing::kNow - 1), Rejection::kNotYetValid);
  EXPECT_EQ(at(testing::kNow), Rejection::kNone);
  EXPECT_EQ(at(testing::kNow + 10), Rejection::kNone);
  EXPECT_EQ(at(testing::kNow + 11), Rejection::kExpired);
}

TEST_F(PathChecksTest, EveryPathLengthCountsWhatIsBelowIt) {
  const TestCertificate upper = MakeCa(root_, {.common_name = "upper", .path_length = 0});
  const TestCertificate lower = MakeCa(upper, {.common_name = "lower"});
  const TestCertificate leaf = MakeLeaf(lower, {});
  const PathFault fault = Check({&leaf, &lower, &upper, &root_});
  EXPECT_EQ(fault.x509_error, X509_V_ERR_PATH_LENGTH_EXCEEDED);
  EXPECT_EQ(fault.depth, 2U);
  const TestCertificate below_a_ca_leaf = MakeCa(upper, {.common_name = "leaf"});
  EXPECT_EQ(Check({&below_a_ca_leaf, &upper, &root_}).reason, Rejection::kNone);
}

}  // namespace
}  // namespace portcullis::tls
