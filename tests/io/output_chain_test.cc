#include "io/output_chain.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace portcullis::io {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What a send of `operands` would put on the wire.
std::string Gather(const SendOperands& operands, size_t pieces) {
  std::string text;
  for (size_t i = 0; i < pieces; ++i) {
    text.append(static_cast<const char*>(operands.iov[i].iov_base), operands.iov[i].iov_len);
  }
  return text;
}

class OutputChainTest : public ::testing::Test {
 protected:
  ~OutputChainTest() override { chain_.Clear(pool_); }
  std::string Front() {
    const size_t pieces = chain_.Prepare(operands_);
    EXPECT_EQ(operands_.message.msg_iovlen, pieces);
    EXPECT_EQ(operands_.message.msg_iov, operands_.iov.data());
    return Gather(operands_, pieces);
  }
  BlockPool pool_{2};
  OutputChain chain_;
  SendOperands operands_;
};

TEST_F(OutputChainTest, KeepsOrderAcrossBlocks) {
  std::string all;
  for (int i = 0; i < 40; ++i) {
    const std::string part(1000, static_cast<char>('a' + i % 26));
    all += part;
    chain_.Append(pool_, Bytes(part));
  }
  EXPECT_EQ(chain_.size(), all.size());
  EXPECT_EQ(Front(), all);
}

TEST_F(OutputChainTest, AppendingBehindASendInFlightDoesNotMoveItsBytes) {
  chain_.Append(pool_, Bytes("in flight"));
  ASSERT_EQ(chain_.Prepare(operands_), 1U);
  const SendOperands flying = operands_;
  for (int i = 0; i < 100; ++i) chain_.Append(pool_, Bytes(std::string(999, 'x')));
  EXPECT_EQ(Gather(flying, 1), "in flight");
  chain_.Consume(pool_, 9);
  EXPECT_EQ(chain_.size(), 99900U);
}

TEST_F(OutputChainTest, PrepareTakesAtMostItsIovecsAndConsumeMakesRoom) {
  const std::string all(12 * kBlockBytes, 'z');
  chain_.Append(pool_, Bytes(all));
  EXPECT_EQ(Front().size(), kMaxIovecs * kBlockBytes);
  chain_.Consume(pool_, kMaxIovecs * kBlockBytes);
  EXPECT_EQ(Front().size(), 4 * kBlockBytes);
}

TEST_F(OutputChainTest, FrontIsTheFirstPieceAndTheWholeOfAShortChain) {
  EXPECT_TRUE(chain_.Front().empty());
  chain_.Append(pool_, Bytes("short"));
  EXPECT_EQ(chain_.Front().size(), chain_.size());
  chain_.Append(pool_, Bytes(std::string(kBlockBytes, 'w')));
  EXPECT_EQ(chain_.Front().size(), kBlockBytes);
  chain_.Consume(pool_, kBlockBytes);
  EXPECT_EQ(chain_.Front().size(), chain_.size());
}

TEST_F(OutputChainTest, ReserveIsContiguousAndCommitMayUseLess) {
  chain_.Append(pool_, Bytes(std::string(kBlockBytes - 10, 'a')));
  const std::span<uint8_t> room = chain_.Reserve(pool_, 16406);
  ASSERT_GE(room.size(), 16406U);
  std::memcpy(room.data(), "bc", 2);
  chain_.Commit(2);
  EXPECT_EQ(chain_.size(), kBlockBytes - 8);
  EXPECT_TRUE(Front().ends_with("abc"));
}

TEST_F(OutputChainTest, AReservationThatIsNotUsedIsEmptyAndGoesBack) {
  static_cast<void>(chain_.Reserve(pool_, 100));
  chain_.Commit(0);
  EXPECT_TRUE(chain_.empty());
  EXPECT_EQ(chain_.Prepare(operands_), 0U);
  EXPECT_TRUE(chain_.Front().empty());
  EXPECT_EQ(pool_.blocks_in_use(), 1U);
  chain_.Clear(pool_);
  EXPECT_EQ(pool_.blocks_in_use(), 0U);
}

TEST_F(OutputChainTest, EmptiedBlocksGoBackToThePool) {
  chain_.Append(pool_, Bytes(std::string(3 * kBlockBytes, 'q')));
  EXPECT_EQ(pool_.blocks_in_use(), 3U);
  chain_.Consume(pool_, kBlockBytes - 1);
  EXPECT_EQ(pool_.blocks_in_use(), 3U);
  chain_.Consume(pool_, 1);
  EXPECT_EQ(pool_.blocks_in_use(), 2U);
  chain_.Clear(pool_);
  EXPECT_EQ(pool_.blocks_in_use(), 0U);
}

TEST_F(OutputChainTest, AnyPartialSendsGiveTheSameBytes) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::string sent;
    std::string got;
    for (int step = 0; step < 300; ++step) {
      if (random() % 2 == 0) {
        std::string part(random() % (random() % 5 == 0 ? 50000 : 50), '\0');
        for (char& c : part) c = static_cast<char>(random());
        sent += part;
        if (random() % 2 == 0 && part.size() <= kBlockBytes) {
          const std::span<uint8_t> room = chain_.Reserve(pool_, part.size());
          std::memcpy(room.data(), part.data(), part.size());
          chain_.Commit(part.size());
        } else {
          chain_.Append(pool_, Bytes(part));
        }
      } else {
        const std::string front = Front();
        const size_t part = front.empty() ? 0 : random() % (front.size() + 1);
        got += front.substr(0, part);
        chain_.Consume(pool_, part);
      }
      ASSERT_EQ(chain_.size(), sent.size() - got.size());
    }
    while (!chain_.empty()) {
      const std::string front = Front();
      got += front;
      chain_.Consume(pool_, front.size());
    }
    ASSERT_EQ(got, sent);
  }
  EXPECT_EQ(pool_.blocks_in_use(), 0U);
}

TEST(BlockPool, KeepsBlocksForReuseOnlyUpToItsMark) {
  BlockPool pool(1);
  Block* first = pool.Take();
  Block* second = pool.Take();
  EXPECT_EQ(pool.blocks_in_use(), 2U);
  pool.Give(first);
  pool.Give(second);
  EXPECT_EQ(pool.Take(), first);
  pool.Give(first);
}

TEST(OutputChainDeathTest, ConsumingMoreThanThereIsAborts) {
  BlockPool pool(1);
  OutputChain chain;
  EXPECT_DEATH(chain.Consume(pool, 1), "more reported sent");
}

TEST(OutputChainDeathTest, ABlockThatOutlivesItsPoolAborts) {
  EXPECT_DEATH(
      {
        OutputChain chain;
        BlockPool pool(1);
        chain.Append(pool, Bytes("x"));
      },
      "outlives its pool");
}

}  // namespace
}  // namespace portcullis::io
