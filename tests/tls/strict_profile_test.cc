// The strict profile as a whole: which fault of a path is told.
#include "tests/tls/strict_fixture.h"

namespace portcullis::tls {
namespace {

using testing::CheckStrictOf;
using testing::Drop;
using testing::kCaDepth;
using testing::kLeafDepth;
using testing::StrictTest;

TEST_F(StrictTest, WhatALeafMerelyLacksComesAfterFaultsOfItsCas) {
  const auto bare = testing::MakeLeaf(ca_, {.common_name = "client.example"});
  const auto odd = testing::MakeCa(root_, {.common_name = "ca"});  // no keyUsage
  EXPECT_EQ(CheckStrictOf({&leaf_, &ca_, &root_}).detail, "");
  EXPECT_EQ(CheckStrictOf({&bare, &ca_, &root_}).detail, "a host's name, and no subjectAltName");
  EXPECT_EQ(CheckStrictOf({&bare, &odd, &root_}).detail, "CA without keyUsage keyCertSign");
}

TEST_F(StrictTest, ReasonAndErrorGoTogether) {
  const bssl::UniquePtr<STACK_OF(X509)> none(sk_X509_new_null());
  EXPECT_EQ(CheckStrict(none.get()).reason, Rejection::kInternal);
  EXPECT_EQ(FaultOf(kLeafDepth, Drop(NID_ext_key_usage)), "a host's name, and no extKeyUsage");
  EXPECT_EQ(reason_, Rejection::kBadPurpose);
  EXPECT_EQ(FaultOf(kCaDepth, Drop(NID_basic_constraints)),
            "CA without basicConstraints that say so");
  EXPECT_EQ(reason_, Rejection::kBadCertificate);
}

}  // namespace
}  // namespace portcullis::tls
