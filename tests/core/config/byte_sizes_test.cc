#include "core/config/byte_sizes.h"

#include <gtest/gtest.h>

namespace portcullis::config {
namespace {

TEST(ByteSizes, ReadEveryUnit) {
  EXPECT_EQ(ParseByteSize("32768"), 32768u);
  EXPECT_EQ(ParseByteSize("32KiB"), 32768u);
  EXPECT_EQ(ParseByteSize("1MiB"), 1048576u);
  EXPECT_EQ(ParseByteSize("2GiB"), 2147483648u);
  EXPECT_EQ(ParseByteSize("0"), 0u);
}

TEST(ByteSizes, RefuseDecimalUnitsAndEverythingElse) {
  for (const char* text :
       {"", "KiB", "32KB", "32kib", "32K", "1MB", "-1", "1.5MiB", "1 MiB", "1MiB ", "0x10"}) {
    EXPECT_EQ(ParseByteSize(text), std::nullopt) << text;
  }
}

TEST(ByteSizes, RefuseWhatDoesNotFit) {
  EXPECT_EQ(ParseByteSize("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(ParseByteSize("18446744073709551616"), std::nullopt);
  EXPECT_EQ(ParseByteSize("17179869183GiB"), 17179869183u * (1ull << 30));
  EXPECT_EQ(ParseByteSize("17179869184GiB"), std::nullopt);
}

TEST(ByteSizes, PrintTheLargestExactUnitAndReadBack) {
  EXPECT_EQ(FormatByteSize(0), "0");
  EXPECT_EQ(FormatByteSize(1000), "1000");
  EXPECT_EQ(FormatByteSize(1536), "1536");
  EXPECT_EQ(FormatByteSize(32768), "32KiB");
  EXPECT_EQ(FormatByteSize(1 << 20), "1MiB");
  for (const uint64_t size :
       {uint64_t{1}, uint64_t{1023}, uint64_t{1024}, uint64_t{1} << 40, UINT64_MAX}) {
    EXPECT_EQ(ParseByteSize(FormatByteSize(size)), size);
  }
}

}  // namespace
}  // namespace portcullis::config
