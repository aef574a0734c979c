#include "io/token.h"

#include <gtest/gtest.h>

#include <random>

namespace portcullis::io {
namespace {

TEST(Token, HasTheDocumentedLayout) {
  const Token token{
      .owner = Owner::kUpstream, .op = Op::kSend, .generation = 0x010203, .slot = 0xAABBCCDD};
  EXPECT_EQ(token.Encode(), 0x32010203AABBCCDDU);
}

TEST(Token, DecodesWhatItEncoded) {
  constexpr uint64_t kSeed = 20261123;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (const Owner owner :
       {Owner::kWorker, Owner::kListener, Owner::kDownstream, Owner::kUpstream}) {
    for (const Op op : {Op::kAccept, Op::kRecv, Op::kSend, Op::kConnect, Op::kCancel, Op::kWake}) {
      for (int i = 0; i < 100; ++i) {
        const Token token{.owner = owner,
                          .op = op,
                          .generation = static_cast<uint32_t>(random()) & kGenerationMask,
                          .slot = static_cast<uint32_t>(random())};
        EXPECT_EQ(Token::Decode(token.Encode()), token);
      }
    }
  }
}

TEST(Token, AGenerationBeyond24BitsDoesNotSpillIntoTheOp) {
  const Token token{
      .owner = Owner::kDownstream, .op = Op::kRecv, .generation = 0xFF000001, .slot = 5};
  const Token decoded = Token::Decode(token.Encode());
  EXPECT_EQ(decoded.op, Op::kRecv);
  EXPECT_EQ(decoded.owner, Owner::kDownstream);
  EXPECT_EQ(decoded.generation, 1U);
}

}  // namespace
}  // namespace portcullis::io
