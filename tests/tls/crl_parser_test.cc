#include "tls/crl_parser.h"

#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

#include "gtest/gtest.h"

#include "tests/tls/crl_maker.h"

namespace portcullis::tls {
namespace {

using testing::CrlSpec;
using testing::Entries;
using testing::ExtensionOf;
using testing::kHour;
using testing::kNow;
using testing::MakeCrl;
using testing::MakeRoot;
using testing::Octets;
using testing::TestCertificate;
using testing::Tlv;
using testing::UriName;

class CrlParserTest : public ::testing::Test {
 protected:
  // Makes and parses; `crl` borrows from der_.
  CrlFault Parse(const CrlSpec& spec, Crl& crl) {
    der_ = MakeCrl(root_, spec);
    return ParseCrl(Text(der_), crl);
  }

  static Bytes Text(const std::string& der) {
    return {reinterpret_cast<const uint8_t*>(der.data()), der.size()};
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  std::string der_;
};

TEST_F(CrlParserTest, ReadsTheHead) {
  Crl crl;
  ASSERT_EQ(
      Parse({.this_update = kNow, .next_update = kNow + kHour, .number = 300, .key_id = true}, crl),
      "");
  EXPECT_EQ(crl.this_update, kNow);
  EXPECT_EQ(crl.next_update, kNow + kHour);
  EXPECT_TRUE(crl.has_number);
  EXPECT_TRUE(Equal(crl.number, Octets{1, 44}));
  EXPECT_FALSE(crl.is_delta);
  EXPECT_EQ(crl.authority_key_id.size(), 20U);
  EXPECT_TRUE(crl.entries.empty());
  EXPECT_FALSE(crl.unknown_critical);
}

TEST_F(CrlParserTest, ReadsTheOldestVersionToo) {
  Crl crl;
  ASSERT_EQ(Parse({.next_update = 0, .entries = Entries({1}), .v1 = true}, crl), "");
  EXPECT_EQ(crl.next_update, 0);
  EXPECT_FALSE(crl.has_number);
  EXPECT_NE(Parse({.number = 1, .v1 = true}, crl), "") << "extensions came with version 2";
}

TEST_F(CrlParserTest, ReadsEntries) {
  Crl crl;
  ASSERT_EQ(Parse({.entries = {{.serial = {1}, .revoked_at = 5, .reason = 4},
                               {.serial = {0x00, 0x80}},
                               {.serial = {3}, .extensions = ExtensionOf(99, true, {5, 0})}}},
                  crl),
            "");
  CrlEntries entries(crl);
  CrlEntry entry;
  ASSERT_TRUE(entries.Next(entry));
  EXPECT_TRUE(Equal(entry.serial, Octets{1}));
  EXPECT_EQ(entry.revoked_at, 5);
  EXPECT_EQ(entry.reason, 4);
  ASSERT_TRUE(entries.Next(entry));
  EXPECT_TRUE(Equal(entry.serial, Octets{0, 0x80}));
  EXPECT_EQ(entry.reason, kReasonUnsaid);
  EXPECT_FALSE(entry.unknown_critical);
  ASSERT_TRUE(entries.Next(entry));
  EXPECT_TRUE(entry.unknown_critical);
  EXPECT_FALSE(entries.Next(entry));
  EXPECT_EQ(entries.fault(), "");
}

TEST_F(CrlParserTest, ReadsTheScope) {
  Crl crl;
  const Octets point = Tlv(0xa0, Tlv(0xa0, UriName("http://x")));
  Octets scope = point;
  const Octets flags = {0x81, 1, 0xff, 0x83, 2, 3, 0x78, 0x84, 1, 0xff};
  scope.insert(scope.end(), flags.begin(), flags.end());
  ASSERT_EQ(Parse({.scope = scope}, crl), "");
  EXPECT_TRUE(Equal(crl.scope.full_name, UriName("http://x")));
  EXPECT_TRUE(crl.scope.only_user);
  EXPECT_FALSE(crl.scope.only_ca);
  EXPECT_FALSE(crl.scope.only_attribute);
  EXPECT_TRUE(crl.scope.indirect);
  EXPECT_TRUE(crl.scope.some_reasons);
  EXPECT_EQ(crl.scope.reasons, 0x1e);
  ASSERT_EQ(Parse({.number = 1, .scope = Tlv(0xa0, Tlv(0xa1, {1, 2}))}, crl), "");
  EXPECT_TRUE(Equal(crl.scope.relative_name, Octets{1, 2}));
}

TEST_F(CrlParserTest, RefusesWhatIsMalformed) {
  Crl crl;
  EXPECT_EQ(Parse({.extensions = ExtensionOf(20, false, {2, 1, 0x80})}, crl),
            "cRLNumber is malformed");
  EXPECT_EQ(Parse({.number = 1, .extensions = ExtensionOf(20, false, {2, 1, 1})}, crl),
            "an extension occurs twice");
  EXPECT_EQ(Parse({.extensions = ExtensionOf(28, true, {5, 0})}, crl),
            "issuingDistributionPoint is malformed");
  EXPECT_EQ(Parse({.scope = Tlv(0x81, {0x01})}, crl), "issuingDistributionPoint is malformed");
  ASSERT_EQ(Parse({.entries = {{.serial = Octets(65, 1)}}}, crl), "");
  CrlEntries entries(crl);
  CrlEntry entry;
  EXPECT_FALSE(entries.Next(entry));
  EXPECT_EQ(entries.fault(), "an entry is malformed");
  EXPECT_FALSE(entries.Next(entry)) << "a fault stays";
}

// Every octet beyond the end of the copy is out of bounds, which a sanitizer sees.
TEST_F(CrlParserTest, NoTruncationOrMutationIsReadBeyondItsEnd) {
  const uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const std::string whole = MakeCrl(
      root_, {.number = 5,
              .entries = {{.serial = {1}, .reason = 1},
                          {.serial = {2}, .extensions = ExtensionOf(29, true, {0x30, 2, 0xa4, 0})}},
              .scope = Tlv(0xa0, Tlv(0xa0, UriName("http://x"))),
              .key_id = true});
  const auto walk = [](Bytes bytes) {
    Crl crl;
    if (!ParseCrl(bytes, crl).empty()) return false;
    CrlEntries entries(crl);
    CrlEntry entry;
    while (entries.Next(entry)) {
    }
    return true;
  };
  for (size_t size = 0; size <= whole.size(); ++size) {
    const auto copy = std::make_unique<uint8_t[]>(size);
    std::copy_n(whole.begin(), size, copy.get());
    EXPECT_EQ(walk({copy.get(), size}), size == whole.size());
  }
  for (int i = 0; i < 20'000; ++i) {
    Octets copy(whole.begin(), whole.end());
    copy[random() % copy.size()] = static_cast<uint8_t>(random());
    static_cast<void>(walk(copy));
  }
}

}  // namespace
}  // namespace portcullis::tls
