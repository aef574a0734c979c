#include "tls/library_verify.h"

#include <openssl/err.h>

#include <initializer_list>

#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using testing::kDay;
using testing::kNow;
using testing::MakeCa;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeSelfSigned;
using testing::Reissue;
using testing::TestCertificate;

class LibraryVerifyTest : public ::testing::Test {
 protected:
  ~LibraryVerifyTest() override { EXPECT_EQ(ERR_peek_error(), 0U) << "an error was left behind"; }

  PathFault Verify(std::initializer_list<const TestCertificate*> path, int64_t now = kNow) {
    const bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
    for (const TestCertificate* const certificate : path) {
      EXPECT_TRUE(bssl::PushToStack(stack.get(), bssl::UpRef(certificate->x509())));
    }
    return VerifyPath(store_.get(), stack.get(), now);
  }

  const bssl::UniquePtr<X509_STORE> store_{X509_STORE_new()};
  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate ca_ = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf_ = MakeLeaf(ca_, {});
};

TEST_F(LibraryVerifyTest, AGoodPathIsVerifiedToWhicheverAnchor) {
  EXPECT_EQ(Verify({&leaf_, &ca_, &root_}).reason, Rejection::kNone);
  EXPECT_EQ(Verify({&leaf_, &ca_}).reason, Rejection::kNone);
  EXPECT_EQ(Verify({&leaf_}).reason, Rejection::kNone);
}

TEST_F(LibraryVerifyTest, ASignatureThatDoesNotHoldIsToldWithItsDepth) {
  const TestCertificate namesake = MakeRoot({.common_name = "root", .key_ids = false});
  const TestCertificate forged_ca = MakeCa(namesake, {.common_name = "ca", .key_ids = false});
  const TestCertificate leaf = MakeLeaf(forged_ca, {.key_ids = false});
  const PathFault high = Verify({&leaf, &forged_ca, &root_});
  EXPECT_EQ(high.reason, Rejection::kBadSignature);
  EXPECT_EQ(high.depth, 1U);
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .key_ids = false});
  const PathFault low = Verify({&leaf, &ca, &root_});
  EXPECT_EQ(low.reason, Rejection::kBadSignature);
  EXPECT_EQ(low.depth, 0U);
}

TEST_F(LibraryVerifyTest, ThePathIsTakenAsItIs) {
  // The anchor has a namesake on the path: a rollover. And the other way round, the path says more
  // than the shortest one would.
  const TestCertificate next =
      MakeCa(root_, {.common_name = "root", .key = testing::TestKey::kEcP384});
  const TestCertificate leaf = MakeLeaf(next, {});
  EXPECT_EQ(Verify({&leaf, &next, &root_}).reason, Rejection::kNone);
  EXPECT_EQ(Verify({&leaf, &root_}).reason == Rejection::kNone, false);
}

TEST_F(LibraryVerifyTest, NotAfterIsWithinTheValidity) {
  const TestCertificate brief = MakeLeaf(ca_, {.not_after = kNow + kDay});
  EXPECT_EQ(Verify({&brief, &ca_, &root_}, kNow + kDay).reason, Rejection::kNone);
  EXPECT_EQ(Verify({&brief, &ca_, &root_}, kNow + kDay + 1).reason, Rejection::kExpired);
}

TEST_F(LibraryVerifyTest, APinnedSelfSignedLeafNeedsNoRightToSign) {
  const TestCertificate pinned = MakeSelfSigned({.key_usage = "critical,digitalSignature"});
  EXPECT_EQ(Verify({&pinned}).reason, Rejection::kNone);
  EXPECT_EQ(Verify({&pinned}, kNow + 366 * kDay).reason, Rejection::kExpired);
}

TEST_F(LibraryVerifyTest, WhatItRefusesIsRefused) {
  const TestCertificate server_ca =
      MakeCa(root_, {.common_name = "s", .extended_key_usage = "serverAuth"});
  const TestCertificate leaf = MakeLeaf(server_ca, {});
  EXPECT_EQ(Verify({&leaf, &server_ca, &root_}).reason, Rejection::kBadPurpose);
  const TestCertificate odd = MakeLeaf(ca_, {.unknown_critical = true});
  EXPECT_EQ(Verify({&odd, &ca_, &root_}).reason, Rejection::kBadCertificate);
  EXPECT_EQ(Verify({&leaf, &root_}).reason == Rejection::kNone, false);
}

}  // namespace
}  // namespace portcullis::tls
