// The strict profile's rules on what a key may be used for.
#include "tests/tls/strict_fixture.h"

namespace portcullis::tls {
namespace {

using testing::Drop;
using testing::kCaDepth;
using testing::kLeafDepth;
using testing::kRootDepth;
using testing::Raw;
using testing::StrictTest;
using testing::Text;

constexpr char kNoCa[] = "CA without basicConstraints that say so";
constexpr char kPurpose[] = "extKeyUsage without clientAuth, or with anyExtendedKeyUsage";

TEST_F(StrictTest, CasSayThatTheyAre) {
  for (const size_t depth : {kCaDepth, kRootDepth}) {
    EXPECT_EQ(FaultOf(depth, Drop(NID_basic_constraints)), kNoCa);
    EXPECT_EQ(FaultOf(depth, Text(NID_basic_constraints, "critical,CA:FALSE")), kNoCa);
    EXPECT_EQ(FaultOf(depth, Drop(NID_key_usage)), "CA without keyUsage keyCertSign");
    EXPECT_EQ(FaultOf(depth, Text(NID_key_usage, "critical,cRLSign")),
              "CA without keyUsage keyCertSign");
    EXPECT_EQ(reason_, Rejection::kBadPurpose);
  }
}

TEST_F(StrictTest, PathLengthsAreOfThoseWhoIssue) {
  constexpr char kFault[] = "path length where nothing is issued";
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")), "");
  // CA false (absent) with a length.
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_basic_constraints, true, {0x30, 0x03, 0x02, 0x01, 0x00})),
            kFault);
  EXPECT_EQ(FaultOf(kCaDepth,
                    [](X509* x509) {
                      Text(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")(x509);
                      Text(NID_key_usage, "critical,digitalSignature")(x509);
                    }),
            kFault);
  const testing::ByteVector negative = {0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0xff};
  EXPECT_EQ(FaultOf(kCaDepth, Raw(NID_basic_constraints, true, negative)), kNoCa);
}

TEST_F(StrictTest, ALeafIsNoCa) {
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_basic_constraints, "critical,CA:TRUE")),
            "a CA where a client's certificate belongs");
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_key_usage, "critical,digitalSignature,keyCertSign")),
            "keyCertSign where a client's certificate belongs");
  EXPECT_EQ(FaultOf(kLeafDepth, Drop(NID_basic_constraints)), "");
}

TEST_F(StrictTest, UsageOfALeafIsSigning) {
  EXPECT_EQ(FaultOf(kLeafDepth, Drop(NID_key_usage)), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_key_usage, "critical,keyAgreement")),
            "keyUsage without digitalSignature");
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_key_usage, true, {0x03, 0x02, 0x07, 0x00})),
            "keyUsage without a use");
}

TEST_F(StrictTest, PurposesNameClients) {
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_ext_key_usage, "serverAuth,clientAuth")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_ext_key_usage, "serverAuth")), kPurpose);
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_ext_key_usage, "anyExtendedKeyUsage")), kPurpose);
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_ext_key_usage, "clientAuth,anyExtendedKeyUsage")),
            kPurpose);
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_ext_key_usage, false, {0x30, 0x00})), kPurpose);
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_ext_key_usage, "clientAuth")), "");
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_ext_key_usage, "anyExtendedKeyUsage")), "");
  EXPECT_EQ(FaultOf(kCaDepth, Text(NID_ext_key_usage, "emailProtection")), kPurpose);
  EXPECT_EQ(FaultOf(kRootDepth, Text(NID_ext_key_usage, "clientAuth")), "extKeyUsage in a root");
}

}  // namespace
}  // namespace portcullis::tls
