#include "tls/engine_callbacks.h"

#include <string>

#include "tests/tls/engine_fixture.h"

namespace portcullis::tls {
namespace {

using testing::EngineTest;
using testing::kNow;
using testing::Pair;
using testing::TestHosts;

class CallbacksTest : public EngineTest {
 protected:
  // What SelectAlpn makes of `offered` (in wire form) for a host that prefers `ours`.
  static std::string Select(const std::vector<std::string>& ours, const std::string& offered) {
    const uint8_t* out = nullptr;
    uint8_t size = 0;
    const int result = EngineCallbacks::ChooseAlpn(
        ours, &out, &size, {reinterpret_cast<const uint8_t*>(offered.data()), offered.size()});
    if (result == SSL_TLSEXT_ERR_NOACK) return "ignored";
    if (result != SSL_TLSEXT_ERR_OK) return "refused";
    return {reinterpret_cast<const char*>(out), size};
  }
};

TEST_F(CallbacksTest, AlpnIsChosenInOurOrderByWholeNames) {
  EXPECT_EQ(Select({"h2", "http/1.1"}, "\x08http/1.1\x02h2"), "h2");
  EXPECT_EQ(Select({"http/1.1", "h2"}, "\x08http/1.1\x02h2"), "http/1.1");
  EXPECT_EQ(Select({"h2"}, "\x03h2c"), "refused");
  EXPECT_EQ(Select({"h2c"}, "\x02h2\x01x"), "refused");
  EXPECT_EQ(Select({}, "\x02h2\x01x"), "ignored");
  EXPECT_EQ(Select({"x"}, "\x02h2\x01x"), "x");
}

TEST_F(CallbacksTest, TheLibrarysClockIsTheTables) {
  EngineCallbacks::SetNow(kNow + 5);
  timeval time = {};
  EngineCallbacks::CurrentTime(nullptr, &time);
  EXPECT_EQ(time.tv_sec, kNow + 5);
  EXPECT_EQ(time.tv_usec, 0);
}

TEST_F(CallbacksTest, EachTablesTimeHoldsForItsOwnCalls) {
  // Two tables of one thread, years apart: the earlier one's clock must not leak into the later
  // one's judging.
  TestHosts now({Host("edge.example", ClientAuthMode::kRequire)});
  TestHosts later({Host("edge.example", ClientAuthMode::kRequire)});
  later.table().SetNow(kNow + 700 * testing::kDay);
  Pair in_time(now.table(), GoodClient());
  Pair too_late(later.table(), GoodClient());
  EXPECT_EQ(in_time.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(too_late.Handshake(), HandshakeStatus::kFailed);
  EXPECT_EQ(testing::ReasonOf(too_late.engine()), "expired");
}

}  // namespace
}  // namespace portcullis::tls
