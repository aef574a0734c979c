// The strict profile's rules on names and on constraints of them.
#include "tests/tls/strict_fixture.h"

namespace portcullis::tls {
namespace {

using testing::Alter;
using testing::ByteVector;
using testing::kCaDepth;
using testing::kLeafDepth;
using testing::Raw;
using testing::StrictTest;
using testing::Text;

constexpr char kName[] = "subjectAltName with no name or a malformed one";
constexpr char kHost[] = "common name of a host that is not among its subjectAltNames";
constexpr char kConstraints[] = "nameConstraints empty or malformed";

// Name and alternative names in place of the leaf's.
Alter Named(const std::string& common_name, const std::string& alt_names) {
  return [=](X509* x509) {
    const bssl::UniquePtr<X509_NAME> name(X509_NAME_new());
    EXPECT_EQ(X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8,
                                         reinterpret_cast<const uint8_t*>(common_name.data()),
                                         static_cast<ossl_ssize_t>(common_name.size()), -1, 0),
              1);
    EXPECT_EQ(X509_set_subject_name(x509, name.get()), 1);
    testing::DropExtension(x509, NID_subject_alt_name);
    if (!alt_names.empty()) Text(NID_subject_alt_name, alt_names)(x509);
  };
}

TEST_F(StrictTest, AltNamesAreWellFormed) {
  for (const char* const good :
       {"DNS:a", "DNS:*.example.com", "email:*@example.com", "URI:spiffe://example/a",
        "IP:10.0.0.1", "IP:::1", "RID:1.2.3", "DNS:a.example,email:b@example"}) {
    EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_subject_alt_name, good)), "") << good;
  }
  for (const char* const bad :
       {"DNS:*", "DNS:*.com", "DNS:a_b.example", "DNS:8.8.8.8", "DNS:.example.com",
        "DNS:foo.*.example.com", "DNS:ba*.example.com", "email:a@b@example.com", "email:a",
        "URI:/relative", "DNS:good.example,DNS:bad_.example"}) {
    EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_subject_alt_name, bad)), kName) << bad;
  }
  EXPECT_EQ(FaultOf(kLeafDepth, Raw(NID_subject_alt_name, false, {0x30, 0x00})), kName);
  // Five octets of an address.
  EXPECT_EQ(FaultOf(kLeafDepth,
                    Raw(NID_subject_alt_name, false, {0x30, 0x07, 0x87, 0x05, 10, 0, 0, 1, 2})),
            kName);
}

TEST_F(StrictTest, ACommonNameThatReadsAsAHostIsOneOfTheHostsNames) {
  EXPECT_EQ(FaultOf(kLeafDepth, Named("a.example", "DNS:b.example,DNS:a.example")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Named("10.0.0.1", "IP:10.0.0.1")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Named("2001:db8::1", "IP:2001:db8:0:0:0:0:0:1")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Named("A.example", "DNS:a.example")), kHost);
  EXPECT_EQ(FaultOf(kLeafDepth, Named("10.0.0.01", "IP:10.0.0.1")), kHost);
  EXPECT_EQ(FaultOf(kLeafDepth, Named("2001:DB8::1", "IP:2001:db8::1")), kHost);
}

TEST_F(StrictTest, NamesOfPeopleAndOfOtherKindsAreFree) {
  EXPECT_EQ(FaultOf(kLeafDepth, Named("Ada Lovelace", "DNS:ada.example")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Named("ada.example", "email:ada@example.com")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Named("ada.example", "IP:10.0.0.1")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, Named("10.0.0.1", "DNS:ada.example")), "");
}

TEST_F(StrictTest, ConstraintsAreWellFormed) {
  for (const char* const good : {"permitted;DNS:example.com", "permitted;email:.example.com",
                                 "permitted;email:a@example.com", "permitted;URI:.example.com",
                                 "permitted;IP:10.0.0.0/255.0.0.0", "excluded;IP:::/::"}) {
    EXPECT_EQ(FaultOf(kCaDepth, Text(NID_name_constraints, std::string("critical,") + good)), "")
        << good;
  }
  // Every DNS name.
  EXPECT_EQ(FaultOf(kCaDepth, Raw(NID_name_constraints, true,
                                  {0x30, 0x06, 0xa1, 0x04, 0x30, 0x02, 0x82, 0x00})),
            "");
  for (const char* const bad :
       {"permitted;DNS:.example.com", "permitted;DNS:*.example.com",
        "permitted;email:a@b@example.com", "permitted;IP:10.0.0.0/255.0.255.0"}) {
    EXPECT_EQ(FaultOf(kCaDepth, Text(NID_name_constraints, std::string("critical,") + bad)),
              kConstraints)
        << bad;
  }
}

TEST_F(StrictTest, ConstraintsConstrainSomething) {
  for (const ByteVector& empty : {ByteVector{0x30, 0x00}, ByteVector{0x30, 0x02, 0xa0, 0x00},
                                  ByteVector{0x30, 0x04, 0xa0, 0x00, 0xa1, 0x00}}) {
    EXPECT_EQ(FaultOf(kCaDepth, Raw(NID_name_constraints, true, empty)), kConstraints);
  }
  // An address without its mask; a maximum.
  EXPECT_EQ(FaultOf(kCaDepth, Raw(NID_name_constraints, true,
                                  {0x30, 0x0a, 0xa0, 0x08, 0x30, 0x06, 0x87, 0x04, 10, 0, 0, 1})),
            kConstraints);
  EXPECT_EQ(FaultOf(kCaDepth,
                    Raw(NID_name_constraints, true,
                        {0x30, 0x0a, 0xa0, 0x08, 0x30, 0x06, 0x82, 0x01, 'a', 0x81, 0x01, 0x05})),
            kConstraints);
}

TEST_F(StrictTest, AHostHasAltNamesAndPurposesAndOthersNeedNeither) {
  const auto without_purpose = [](const Alter& alter) {
    return [alter](X509* x509) {
      alter(x509);
      testing::DropExtension(x509, NID_ext_key_usage);
    };
  };
  for (const char* const host : {"client.example", "*.client.example", "10.0.0.1", "::1"}) {
    EXPECT_EQ(FaultOf(kLeafDepth, Named(host, "")), "a host's name, and no subjectAltName");
    EXPECT_EQ(reason_, Rejection::kBadCertificate);
  }
  for (const char* const alt : {"DNS:client", "IP:10.0.0.1", "email:a@example.com,DNS:client"}) {
    EXPECT_EQ(FaultOf(kLeafDepth, without_purpose(Named("client", alt))),
              "a host's name, and no extKeyUsage");
    EXPECT_EQ(reason_, Rejection::kBadPurpose);
  }
  for (const char* const alt : {"", "email:a@example.com", "URI:spiffe://example/a"}) {
    EXPECT_EQ(FaultOf(kLeafDepth, without_purpose(Named("Client of the Example", alt))), "");
  }
}

TEST_F(StrictTest, ALeafHasAName) {
  const auto anonymous = [](const std::string& alt) {
    return [=](X509* x509) {
      const bssl::UniquePtr<X509_NAME> nobody(X509_NAME_new());
      EXPECT_EQ(X509_set_subject_name(x509, nobody.get()), 1);
      testing::DropExtension(x509, NID_subject_alt_name);
      if (!alt.empty()) Text(NID_subject_alt_name, alt)(x509);
    };
  };
  EXPECT_EQ(FaultOf(kLeafDepth, anonymous("")), "neither subject nor subjectAltName");
  EXPECT_EQ(FaultOf(kLeafDepth, anonymous("critical,email:a@example.com")), "");
}

TEST_F(StrictTest, OnlyCasConstrain) {
  EXPECT_EQ(FaultOf(kLeafDepth, Text(NID_name_constraints, "critical,permitted;DNS:example")),
            "nameConstraints outside a CA");
}

}  // namespace
}  // namespace portcullis::tls
