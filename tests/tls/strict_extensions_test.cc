// The strict profile's rules on which extensions there are, and in what form.
#include "tests/tls/strict_fixture.h"

namespace portcullis::tls {
namespace {

using testing::AddRawExtension;
using testing::Alter;
using testing::Critical;
using testing::Drop;
using testing::kCaDepth;
using testing::kLeafDepth;
using testing::kRootDepth;
using testing::Raw;
using testing::StrictTest;
using testing::Text;

constexpr char kMustNot[] = "critical extension that must not be";
constexpr char kMust[] = "extension that must be critical is not";

TEST_F(StrictTest, NoExtensionComesTwice) {
  EXPECT_EQ(
      FaultOf(kLeafDepth,
              [](X509* x509) { AddRawExtension(x509, NID_ext_key_usage, false, {0x30, 0x00}); }),
      "an extension twice");
}

TEST_F(StrictTest, WhatTheLibraryKnowsMustDecode) {
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_crl_distribution_points, false, {'x'})),
            "an extension that does not decode");
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_info_access, false, {0x04, 0x00})),
            "an extension that does not decode");
}

TEST_F(StrictTest, WhatIsCriticalMustBeKnownEvenInRoots) {
  for (const size_t depth : {kLeafDepth, kCaDepth, kRootDepth}) {
    EXPECT_EQ(FaultOf(depth, Raw(NID_pkcs9_contentType, false, {0x05, 0x00})), "");
    EXPECT_EQ(FaultOf(depth, Raw(NID_pkcs9_contentType, true, {0x05, 0x00})),
              "critical extension that nobody here knows");
  }
}

TEST_F(StrictTest, SomeExtensionsAreNeverCritical) {
  EXPECT_EQ(FaultOf(kRootDepth, Critical(NID_authority_key_identifier, true)), kMustNot);
  EXPECT_EQ(FaultOf(kRootDepth, Critical(NID_subject_key_identifier, true)), kMustNot);
  EXPECT_EQ(FaultOf(kLeafDepth, Critical(NID_ext_key_usage, true)), kMustNot);
  const std::string access = "OCSP;URI:http://ocsp.example/";
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_info_access, access)), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_info_access, "critical," + access)), kMustNot);
}

TEST_F(StrictTest, SomeExtensionsAreAlwaysCritical) {
  const std::string constraints = "permitted;DNS:example";
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_name_constraints, constraints)), kMust);
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_name_constraints, "critical," + constraints)), "");
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_policy_constraints, "requireExplicitPolicy:3")), kMust);
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_policy_constraints, "critical,requireExplicitPolicy:3")),
            "");
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_inhibit_any_policy, "0")), kMust);
}

TEST_F(StrictTest, BasicConstraintsOfCasAreCritical) {
  for (const size_t depth : {kCaDepth, kRootDepth}) {
    EXPECT_EQ(FaultOf(depth, Critical(NID_basic_constraints, false)), kMust);
    EXPECT_EQ(FaultOf(depth, Critical(NID_key_usage, false)), "");
  }
  EXPECT_EQ(FaultOf(kLeafDepth, Critical(NID_basic_constraints, true)), "");
}

TEST_F(StrictTest, AltNamesAreCriticalJustWhereTheyAreTheOnlyName) {
  constexpr char kFault[] = "subjectAltName critical beside a subject, or not without one";
  const Alter nameless = [](X509* x509) {
    const bssl::UniquePtr<X509_NAME> empty(X509_NAME_new());
    X509_set_subject_name(x509, empty.get());
  };
  EXPECT_EQ(FaultOf(kLeafDepth, Critical(NID_subject_alt_name, true)), kFault);
  EXPECT_EQ(FaultOf(kLeafDepth, nameless), kFault);
  EXPECT_EQ(FaultOf(kLeafDepth,
                    [&](X509* x509) {
                      nameless(x509);
                      Critical(NID_subject_alt_name, true)(x509);
                    }),
            "");
}

TEST_F(StrictTest, AuthorityKeyIdentifiersAreThereButOnRoots) {
  EXPECT_EQ(FaultOf(kRootDepth, Drop(NID_authority_key_identifier)), "");
  EXPECT_EQ(FaultOf(kCaDepth, Drop(NID_authority_key_identifier)), "no authorityKeyIdentifier");
  EXPECT_EQ(FaultOf(kLeafDepth, Drop(NID_authority_key_identifier)), "no authorityKeyIdentifier");
}

TEST_F(StrictTest, AuthorityKeyIdentifiersAreTheKeysAlone) {
  constexpr char kFault[] = "authorityKeyIdentifier not the plain key identifier";
  const testing::ByteVector empty = {0x30, 0x00};
  const testing::ByteVector serial_too = {0x30, 0x06, 0x80, 0x01, 0xaa, 0x82, 0x01, 0x07};
  const testing::ByteVector foreign = {0x30, 0x03, 0x80, 0x01, 0xaa};
  for (const size_t depth : {kLeafDepth, kCaDepth, kRootDepth}) {
    EXPECT_EQ(FaultOf(depth, Raw(NID_authority_key_identifier, false, empty)), kFault);
    EXPECT_EQ(FaultOf(depth, Raw(NID_authority_key_identifier, false, serial_too)), kFault);
  }
  // Whether it is the issuer's own is the path's business, but for who is his own issuer.
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_authority_key_identifier, false, foreign)), "");
  EXPECT_EQ(FaultOf(kRootDepth, Raw(NID_authority_key_identifier, false, foreign)), kFault);
}

TEST_F(StrictTest, CasHaveSubjectKeyIdentifiers) {
  EXPECT_EQ(FaultOf(kCaDepth, Drop(NID_subject_key_identifier)), "CA without subjectKeyIdentifier");
  EXPECT_EQ(FaultOf(kLeafDepth, Drop(NID_subject_key_identifier)), "");
  EXPECT_EQ(FaultOf(kRootDepth,
                    [](X509* x509) {
                      testing::DropExtension(x509, NID_subject_key_identifier);
                      testing::DropExtension(x509, NID_authority_key_identifier);
                    }),
            "CA without subjectKeyIdentifier");
}

TEST_F(StrictTest, ListsSayAtLeastOneThing) {
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_info_access, false, {0x30, 0x00})),
            "information access without content");
  EXPECT_EQ(FaultOf(kCaDepth, Raw(NID_policy_constraints, true, {0x30, 0x00})),
            "policyConstraints without content");
}

}  // namespace
}  // namespace portcullis::tls
