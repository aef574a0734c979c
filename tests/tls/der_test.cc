#include "tls/der.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

using Octets = std::vector<uint8_t>;

Octets Time(uint8_t tag, const std::string& text) {
  Octets der;
  der.reserve(2 + text.size());
  der.push_back(tag);
  der.push_back(static_cast<uint8_t>(text.size()));
  der.insert(der.end(), text.begin(), text.end());
  return der;
}

// Seconds, or -1 where it does not read.
int64_t Read(const Octets& der) {
  CBS in = ToCbs(der);
  int64_t seconds = 0;
  return ReadTime(in, seconds) && CBS_len(&in) == 0 ? seconds : -1;
}

TEST(Der, TimesAreReadAsRfc5280HasThem) {
  EXPECT_EQ(Read(Time(0x17, "700101000001Z")), 1);
  EXPECT_EQ(Read(Time(0x17, "270115080000Z")), 1'800'000'000);
  EXPECT_EQ(Read(Time(0x18, "20270115080000Z")), 1'800'000'000);
  EXPECT_EQ(Read(Time(0x18, "99991231235959Z")), 253'402'300'799);
}

TEST(Der, OtherTimesAreNot) {
  EXPECT_EQ(Read(Time(0x17, "2701150800Z")), -1) << "no seconds";
  EXPECT_EQ(Read(Time(0x17, "270115080000+0100")), -1);
  EXPECT_EQ(Read(Time(0x17, "271315080000Z")), -1);
  EXPECT_EQ(Read(Time(0x18, "20270115080000.5Z")), -1);
  EXPECT_EQ(Read(Time(0x04, "270115080000Z")), -1);
  EXPECT_EQ(Read({}), -1);
}

TEST(Der, ExtensionsAreReadWithAndWithoutTheirFlag) {
  const auto read = [](const Octets& der, DerExtension& extension) {
    CBS in = ToCbs(der);
    return ReadExtension(in, extension) && CBS_len(&in) == 0;
  };
  const Octets plain = {0x30, 8, 6, 3, 0x55, 0x1d, 20, 4, 1, 9};
  const Octets flagged = {0x30, 11, 6, 3, 0x55, 0x1d, 20, 1, 1, 0xff, 4, 1, 9};
  DerExtension extension;
  EXPECT_TRUE(read(plain, extension));
  EXPECT_FALSE(extension.critical);
  EXPECT_TRUE(Equal(extension.value, Octets{9}));
  EXPECT_TRUE(read(flagged, extension));
  EXPECT_TRUE(extension.critical);
  EXPECT_TRUE(Equal(extension.oid, Octets{0x55, 0x1d, 20}));
  EXPECT_FALSE(read({0x30, 11, 6, 3, 0x55, 0x1d, 20, 1, 1, 0x01, 4, 1, 9}, extension));
  EXPECT_FALSE(read({0x30, 9, 6, 3, 0x55, 0x1d, 20, 4, 1, 9, 0}, extension));
  EXPECT_FALSE(read({0x30, 5, 6, 0, 4, 1, 9}, extension));
}

}  // namespace
}  // namespace portcullis::tls
