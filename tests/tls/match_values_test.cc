#include "tls/match_values.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

std::string Canonical(MatchField field, std::string_view value) {
  const absl::StatusOr<std::string> canonical = CanonicalValue(field, value);
  return canonical.ok() ? *canonical : "refused";
}

bool Fits(MatchField field, std::string_view value) { return CanonicalValue(field, value).ok(); }

TEST(MatchValues, NothingEmptyAndNoNulFitsAnyField) {
  for (int i = 0; i < kNumMatchFields; ++i) {
    const auto field = static_cast<MatchField>(i);
    EXPECT_FALSE(Fits(field, "")) << FieldName(field);
    EXPECT_FALSE(Fits(field, std::string_view("CN=a\0", 5))) << FieldName(field);
    EXPECT_FALSE(AllowedValues(field).empty()) << FieldName(field);
  }
}

TEST(MatchValues, AttributesAreTakenAsTheyAre) {
  EXPECT_EQ(Canonical(MatchField::kCommonName, " J\u00fcrgen "), " J\u00fcrgen ");
  EXPECT_EQ(Canonical(MatchField::kOrganization, "*"), "*");
  EXPECT_EQ(Canonical(MatchField::kSubject, "CN=a,O=b"), "CN=a,O=b");
  EXPECT_FALSE(Fits(MatchField::kIssuer, "alice"));
}

TEST(MatchValues, DnsNamesAreLowerCaseWithTheirWildcardInFront) {
  EXPECT_EQ(Canonical(MatchField::kDns, "A.Example"), "a.example");
  EXPECT_EQ(Canonical(MatchField::kDns, "*.Example"), ".example");
  EXPECT_EQ(Canonical(MatchField::kDns, "**.a.example"), "..a.example");
  EXPECT_EQ(Canonical(MatchField::kDns, "_x-1.a"), "_x-1.a");
  EXPECT_TRUE(Fits(MatchField::kDns, std::string(63, 'a') + ".b"));
}

TEST(MatchValues, WhatIsNoDnsNameIsRefused) {
  for (const std::string_view value :
       {"a..b", ".a", "a.", "*", "**", "*.", "*a.example", "a.*.example", "***.a", "*.*.a", "a b",
        "j\u00fcrgen.example", "a/b", "a:1"}) {
    EXPECT_FALSE(Fits(MatchField::kDns, value)) << value;
  }
  EXPECT_FALSE(Fits(MatchField::kDns, std::string(64, 'a') + ".b"));
  std::string long_name;
  while (long_name.size() <= kMaxDnsBytes) long_name += "abcdefg.";
  EXPECT_FALSE(Fits(MatchField::kDns, long_name + "x"));
}

TEST(MatchValues, OnlyTheDomainOfAMailAddressIsCaseless) {
  EXPECT_EQ(Canonical(MatchField::kEmail, "Bob@A.Example"), "Bob@a.example");
  EXPECT_EQ(Canonical(MatchField::kEmail, "@A.Example"), "@a.example");
  for (const std::string_view value :
       {"bob", "@", "bob@", "a@b@c", "a b@c", "@@a", "b@*.example"}) {
    EXPECT_FALSE(Fits(MatchField::kEmail, value)) << value;
  }
  EXPECT_TRUE(Fits(MatchField::kEmail, std::string(64, 'x') + "@a"));
  EXPECT_FALSE(Fits(MatchField::kEmail, std::string(65, 'x') + "@a"));
}

TEST(MatchValues, NetworksAreExact) {
  EXPECT_EQ(Canonical(MatchField::kIp, "10.0.0.0/8"),
            std::string({4, 8, 10}) + std::string(15, '\0'));
  EXPECT_EQ(Canonical(MatchField::kIp, "10.1.2.3"), Canonical(MatchField::kIp, "10.1.2.3/32"));
  EXPECT_EQ(Canonical(MatchField::kIp, "2001:DB8::"),
            Canonical(MatchField::kIp, "2001:db8:0::/128"));
  EXPECT_TRUE(Fits(MatchField::kIp, "0.0.0.0/0"));
  EXPECT_TRUE(Fits(MatchField::kIp, "::/0"));
  for (const std::string_view value :
       {"10.0.0.1/8", "10.0.0.0/33", "10.0.0/8", "010.0.0.1", "10.0.0.0/", "10.0.0.0/+8",
        "10.0.0.0/8/8", "::1/64", "::/129", "[::1]", "fe80::1%eth0", "1", "::/0128"}) {
    EXPECT_FALSE(Fits(MatchField::kIp, value)) << value;
  }
}

TEST(MatchValues, SerialsLoseZerosCaseAndColons) {
  for (const std::string_view value : {"abc", "0ABC", "000abc", "0a:bc", "A:BC", "00:0A:BC"}) {
    EXPECT_EQ(Canonical(MatchField::kSerial, value), "ABC") << value;
  }
  EXPECT_EQ(Canonical(MatchField::kSerial, "00"), "0");
  for (const std::string_view value :
       {"0x1f", "-5", "a:b:c", "ab:", ":ab", "ab::cd", "abc:de", "g"}) {
    EXPECT_FALSE(Fits(MatchField::kSerial, value)) << value;
  }
  EXPECT_FALSE(Fits(MatchField::kSerial, std::string(129, '1')));
}

TEST(MatchValues, DigestsAreTheirBytesHoweverWritten) {
  std::string colons;
  for (int i = 0; i < 32; ++i) colons += i == 0 ? "5a" : ":5A";
  const std::string bytes(32, '\x5a');
  for (const MatchField field : {MatchField::kSha256, MatchField::kSpki}) {
    std::string hex;
    for (int i = 0; i < 32; ++i) hex += "5A";
    EXPECT_EQ(Canonical(field, hex), bytes);
    EXPECT_EQ(Canonical(field, colons), bytes);
    EXPECT_FALSE(Fits(field, hex.substr(1)));
    EXPECT_FALSE(Fits(field, hex + "5A"));
    EXPECT_FALSE(Fits(field, colons + ":"));
  }
  const std::string base64 = "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=";
  EXPECT_EQ(Canonical(MatchField::kSpki, base64), bytes);
  EXPECT_EQ(Canonical(MatchField::kSpki, "sha256/" + base64), bytes);
  EXPECT_EQ(Canonical(MatchField::kSpki, "sha256//" + base64), bytes);
  const std::string slashed = "/" + base64.substr(1);
  EXPECT_EQ(Canonical(MatchField::kSpki, "sha256/" + slashed),
            Canonical(MatchField::kSpki, slashed));
  EXPECT_FALSE(Fits(MatchField::kSpki, "sha1/" + base64));
  EXPECT_FALSE(Fits(MatchField::kSpki, base64.substr(0, 43)));
  EXPECT_FALSE(Fits(MatchField::kSha256, base64));
}

TEST(MatchValues, OidsAreDottedAndMinimal) {
  for (const std::string_view value : {"1.2", "2.5.29.32.0", "2.999.1", "1.39.0", "0.0"}) {
    EXPECT_TRUE(Fits(MatchField::kPolicyOid, value)) << value;
  }
  for (const std::string_view value :
       {"1", "3.1", "1.40", "0.100", "1..2", ".1.2", "1.2.", "1.02", "1.2 ", "anyPolicy"}) {
    EXPECT_FALSE(Fits(MatchField::kPolicyOid, value)) << value;
  }
}

TEST(MatchValues, UrisArePrintableWithAScheme) {
  EXPECT_TRUE(IsUri("https://a.example/x?y#z"));
  EXPECT_TRUE(IsUri("urn:x:y"));
  for (const std::string_view uri : {"", "a", ":a", "1a:b", "a: b", "a:\u00fc", "a:\x7f"}) {
    EXPECT_FALSE(IsUri(uri)) << uri;
  }
}

TEST(MatchValues, SpiffeIdsAreStrict) {
  for (const std::string_view id :
       {"spiffe://td", "spiffe://t-d.example_1/ns/Prod/a.b", "spiffe://a/..."}) {
    EXPECT_TRUE(IsSpiffeId(id)) << id;
  }
  for (const std::string_view id :
       {"spiffe:/td", "spiffe://", "spiffe:///a", "SPIFFE://td", "spiffe://TD/a", "spiffe://td/",
        "spiffe://td//a", "spiffe://td/a/", "spiffe://td/./a", "spiffe://td/a/..",
        "spiffe://td/%61", "spiffe://td:1/a", "spiffe://u@td/a", "spiffe://td?q", "spiffe://td/a#f",
        "https://td/a", "spiffe://td/\u00fc"}) {
    EXPECT_FALSE(IsSpiffeId(id)) << id;
  }
  EXPECT_FALSE(IsSpiffeId("spiffe://" + std::string(256, 'a')));
  EXPECT_TRUE(IsSpiffeId("spiffe://a/" + std::string(2048 - 11, 'x')));
  EXPECT_FALSE(IsSpiffeId("spiffe://a/" + std::string(2048 - 10, 'x')));
}

TEST(MatchValues, SerialDigitsKeepOneZero) {
  EXPECT_EQ(SerialDigits("00"), "0");
  EXPECT_EQ(SerialDigits("00A0"), "A0");
  EXPECT_EQ(SerialDigits("-05"), "-05");
  EXPECT_EQ(SerialDigits(""), "");
}

}  // namespace
}  // namespace portcullis::tls
