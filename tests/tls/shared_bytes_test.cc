#include "tls/shared_bytes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace portcullis::tls {
namespace {

TEST(SharedBytesTest, CopiesHoldTheSameBytesAndOutliveOneAnother) {
  std::vector<uint8_t> source = {1, 2, 3};
  SharedBytes copy;
  {
    const SharedBytes bytes(source);
    copy = bytes;
    EXPECT_EQ(copy.data(), bytes.data());
  }
  source.assign(3, 0);
  EXPECT_EQ(copy, SharedBytes(std::vector<uint8_t>{1, 2, 3})) << "the source is no part of it";
}

TEST(SharedBytesTest, BytesAreComparedAndNotWhereTheyLie) {
  const std::vector<uint8_t> source = {1, 2, 3};
  EXPECT_EQ(SharedBytes(source), SharedBytes(source));
  EXPECT_NE(SharedBytes(source), SharedBytes(std::vector<uint8_t>{1, 2}));
  EXPECT_NE(SharedBytes(source), SharedBytes(std::vector<uint8_t>{1, 2, 4}));
}

TEST(SharedBytesTest, NothingIsEmpty) {
  EXPECT_TRUE(SharedBytes().empty());
  EXPECT_EQ(SharedBytes(), SharedBytes(std::vector<uint8_t>()));
  EXPECT_EQ(SharedBytes().begin(), SharedBytes().end());
}

}  // namespace
}  // namespace portcullis::tls
