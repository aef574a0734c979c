// What comes over the wire beside a proper handshake: other protocols, garbage, alerts, closes,
// KeyUpdate, renegotiation.
#include <openssl/err.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/tls/engine_fixture.h"
#include "tls/engine.h"

namespace portcullis::tls {
namespace {

using testing::ClientOptions;
using testing::EngineTest;
using testing::kVersions;
using testing::Pair;
using testing::ReasonOf;
using testing::TestHosts;
using testing::TestSeed;

void Append(void* context, const uint8_t* bytes, size_t size) {
  auto& out = *static_cast<std::vector<uint8_t>*>(context);
  out.insert(out.end(), bytes, bytes + size);
}

// Whether byte `at` is the lower one of the version in the header of one of `records`.
bool IsMinorVersion(const std::vector<uint8_t>& records, size_t at) {
  for (size_t start = 0; start + 5 <= records.size();) {
    if (at == start + 2) return true;
    start += size_t{5} + static_cast<size_t>(records[start + 3] << 8 | records[start + 4]);
  }
  return false;
}

class WireTest : public EngineTest {
 protected:
  // Feeds `bytes` in pieces of `step` to a fresh engine.
  HandshakeStatus Feed(Engine& engine, std::string_view bytes, size_t step) {
    HandshakeStatus status = HandshakeStatus::kWantRead;
    while (!bytes.empty() && status == HandshakeStatus::kWantRead) {
      const std::string piece(bytes.substr(0, step));
      bytes.remove_prefix(piece.size());
      std::span<const uint8_t> input(reinterpret_cast<const uint8_t*>(piece.data()), piece.size());
      status = engine.Handshake(input, {&sent_, Append});
    }
    return status;
  }

  // Reads what `input` holds; the last status.
  ReadStatus ReadAll(Pair& pair) {
    pair.Pump();
    return pair.read_status();
  }

  TestHosts hosts_{{Host("edge.example", ClientAuthMode::kRequire)}};
  std::vector<uint8_t> sent_;
};

TEST_F(WireTest, PlainHttpIsToldAndGetsNoTlsBytes) {
  for (const std::string_view request :
       {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.1\r\n\r\n", "PUT / HTTP/1.0\r\n\r\n",
        "DELETE / HTTP/1.1\r\n\r\n", "PATCH / HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    for (const size_t step : {size_t{1}, size_t{3}, request.size()}) {
      Engine engine(hosts_.table());
      EXPECT_EQ(Feed(engine, request, step), HandshakeStatus::kFailed);
      EXPECT_EQ(ReasonOf(engine), "plain_http") << request;
      EXPECT_FALSE(engine.failure().has_alert);
      EXPECT_TRUE(sent_.empty());
      engine.Refuse(Rejection::kPlainHttp, {&sent_, Append});
      EXPECT_TRUE(sent_.empty());
    }
  }
}

TEST_F(WireTest, GarbageIsABadMessage) {
  for (const std::string_view bytes :
       {std::string_view("SSH-2.0-OpenSSH_9.2\r\n"), std::string_view("\0\0\0\0\0\0\0\0", 8),
        std::string_view("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10),  // empty ClientHello
        std::string_view("\x17\x03\x03\x00\x01\x00", 6),                   // data first
        std::string_view("\x16\x03\x01\xff\xff....", 9)}) {
    for (const size_t step : {size_t{1}, bytes.size()}) {
      Engine engine(hosts_.table());
      EXPECT_EQ(Feed(engine, bytes, step), HandshakeStatus::kFailed);
      EXPECT_EQ(ReasonOf(engine), "bad_message");
      EXPECT_EQ(engine.host(), nullptr);
      EXPECT_EQ(engine.version(), "unknown");
      EXPECT_EQ(engine.cipher(), "");
      EXPECT_EQ(engine.group(), "");
      EXPECT_EQ(ERR_peek_error(), 0U);
    }
  }
}

TEST_F(WireTest, ATruncatedHandshakeJustWaits) {
  for (const uint16_t version : kVersions) {
    Pair pair(hosts_.table(), GoodClient(version));
    (void)pair.client().Handshake();
    const std::vector<uint8_t> hello = pair.client().TakeOutput();
    for (size_t size = 0; size < hello.size(); size += 7) {
      Engine engine(hosts_.table());
      std::span<const uint8_t> input(hello.data(), size);
      EXPECT_EQ(engine.Handshake(input, pair.sink()), HandshakeStatus::kWantRead);
      EXPECT_TRUE(input.empty());
    }
    EXPECT_TRUE(pair.to_client().empty());
  }
}

TEST_F(WireTest, EveryFlippedByteOfTheClientsFlightsFailsCleanly) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("PORTCULLIS_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 120; ++round) {
    const uint16_t version = kVersions[round % 2];
    Pair pair(hosts_.table(), GoodClient(version));
    // The first flight on even pairs of rounds, the second on odd ones.
    const int flights_before = (round / 2) % 2;
    for (int flight = 0; flight < flights_before; ++flight) {
      (void)pair.client().Handshake();
      const std::vector<uint8_t> out = pair.client().TakeOutput();
      std::span<const uint8_t> input(out);
      ASSERT_EQ(pair.engine().Handshake(input, pair.sink()), HandshakeStatus::kWantRead);
      pair.client().Feed(std::exchange(pair.to_client(), {}));
    }
    (void)pair.client().Handshake();
    std::vector<uint8_t> out = pair.client().TakeOutput();
    const size_t at = random() % out.size();
    // In the clear, nobody vouches for a record's minor version, nor looks at it (RFC 8446 5.1).
    if (IsMinorVersion(out, at)) continue;
    out[at] = static_cast<uint8_t>(out[at] ^ (1 + random() % 255));
    pair.to_engine() = std::move(out);
    const HandshakeStatus status = pair.Handshake();
    // Some bytes of a ClientHello do not matter to us, but the transcript knows.
    EXPECT_NE(status, HandshakeStatus::kDone) << "byte " << at;
    if (status == HandshakeStatus::kFailed) {
      EXPECT_NE(pair.engine().failure().reason, Rejection::kNone);
      EXPECT_NE(pair.engine().failure().reason, Rejection::kInternal);
    }
  }
}

TEST_F(WireTest, TheClientsAlertIsTold) {
  for (const uint16_t version : kVersions) {
    ClientOptions options = GoodClient(version);
    options.distrusts_server = true;
    Pair pair(hosts_.table(), options);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "client_alert");
    const Failure& failure = pair.engine().failure();
    EXPECT_TRUE(failure.has_alert);
    EXPECT_TRUE(failure.alert_received);
    EXPECT_EQ(AlertName(failure.alert), "unknown_ca");
    EXPECT_TRUE(pair.engine().verdict().accepted());
  }
}

TEST_F(WireTest, AnAlertInTheClearIsTheClientsToo) {
  // What OpenSSL's clients send when they do not trust us under TLS 1.3: they have no keys yet.
  // With and without the ChangeCipherSpec of RFC 8446 D.4 before it, and however it is cut up.
  constexpr std::string_view kAlert("\x15\x03\x03\x00\x02\x02\x30", 7);
  constexpr std::string_view kChange("\x14\x03\x03\x00\x01\x01", 6);
  for (const std::string& bytes :
       {std::string(kAlert), std::string(kChange) + std::string(kAlert)}) {
    for (const size_t step : {size_t{1}, size_t{6}, bytes.size()}) {
      Pair pair(hosts_.table(), GoodClient());
      (void)pair.client().Handshake();
      const std::vector<uint8_t> hello = pair.client().TakeOutput();
      std::span<const uint8_t> input(hello);
      ASSERT_EQ(pair.engine().Handshake(input, pair.sink()), HandshakeStatus::kWantRead);
      EXPECT_EQ(Feed(pair.engine(), bytes, step), HandshakeStatus::kFailed);
      EXPECT_EQ(ReasonOf(pair.engine()), "client_alert");
      EXPECT_TRUE(pair.engine().failure().alert_received);
      EXPECT_EQ(AlertName(pair.engine().failure().alert), "unknown_ca");
    }
  }
}

TEST_F(WireTest, AnAlertAfterTheHandshakeFailsTheRead) {
  for (const uint16_t version : kVersions) {
    Pair pair(hosts_.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    (void)SSL_send_fatal_alert(pair.client().ssl(), SSL_AD_BAD_CERTIFICATE);
    EXPECT_EQ(ReadAll(pair), ReadStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "client_alert");
    EXPECT_TRUE(pair.engine().failure().alert_received);
    const std::array<uint8_t, 1> byte = {1};
    EXPECT_FALSE(pair.engine().Write(byte, pair.sink()));
  }
}

TEST_F(WireTest, CloseNotifyInTheHandshakeIsTheEnd) {
  Pair pair(hosts_.table(), AnonymousClient(TLS1_2_VERSION));
  Engine engine(hosts_.table());
  EXPECT_EQ(Feed(engine, std::string_view("\x15\x03\x01\x00\x02\x01\x00", 7), 7),
            HandshakeStatus::kFailed);
  EXPECT_EQ(ReasonOf(engine), "eof");
}

TEST_F(WireTest, CloseNotifyHalvesTheConnectionOnly) {
  for (const uint16_t version : kVersions) {
    // The client closes first and still hears us.
    Pair pair(hosts_.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    pair.client().Write("last words");
    pair.client().Close();
    EXPECT_EQ(ReadAll(pair), ReadStatus::kClosed);
    EXPECT_EQ(pair.received(), "last words");
    EXPECT_EQ(pair.engine().failure().reason, Rejection::kNone);
    const std::string answer = "answer";
    EXPECT_TRUE(pair.engine().Write(
        {reinterpret_cast<const uint8_t*>(answer.data()), answer.size()}, pair.sink()));
    EXPECT_FALSE(pair.to_client().empty());

    // We close first and still hear the client.
    Pair other(hosts_.table(), GoodClient(version));
    ASSERT_EQ(other.Handshake(), HandshakeStatus::kDone);
    other.engine().CloseNotify(other.sink());
    const size_t size = other.to_client().size();
    EXPECT_GT(size, 0U);
    other.engine().CloseNotify(other.sink());
    EXPECT_EQ(other.to_client().size(), size) << "sent twice";
    other.client().Write("still here");
    EXPECT_EQ(ReadAll(other), ReadStatus::kWantRead);
    EXPECT_EQ(other.received(), "still here");
    EXPECT_TRUE(other.client().saw_close());
    const std::array<uint8_t, 1> byte = {1};
    EXPECT_FALSE(other.engine().Write(byte, other.sink()));
    EXPECT_EQ(other.engine().failure().reason, Rejection::kNone);
  }
}

TEST_F(WireTest, KeyUpdateIsFollowedAndAnswered) {
  Pair pair(hosts_.table(), GoodClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(SSL_key_update(pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    pair.client().Write("new keys");
    const std::vector<uint8_t> out = pair.client().TakeOutput();
    std::span<const uint8_t> input(out);
    std::array<uint8_t, 64> plain;
    size_t produced = 0;
    ASSERT_EQ(pair.engine().Read(input, plain, produced, pair.sink()), ReadStatus::kData);
    EXPECT_EQ(std::string(plain.begin(), plain.begin() + produced), "new keys");
    EXPECT_EQ(pair.engine().Read(input, plain, produced, pair.sink()), ReadStatus::kWantRead);
    // The answer goes out although nobody here has anything to write.
    EXPECT_FALSE(pair.to_client().empty());
    EXPECT_EQ(pair.Send("mine too"), "mine too");
  }
}

TEST_F(WireTest, AFloodOfKeyUpdatesIsEnded) {
  Pair pair(hosts_.table(), GoodClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  for (int round = 0; round < 100 && pair.read_status() == ReadStatus::kWantRead; ++round) {
    ASSERT_EQ(SSL_key_update(pair.client().ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    (void)SSL_write(pair.client().ssl(), "", 0);
    pair.Pump();
  }
  EXPECT_EQ(pair.read_status(), ReadStatus::kFailed);
  EXPECT_EQ(ReasonOf(pair.engine()), "bad_message");
}

TEST_F(WireTest, RenegotiationIsRefused) {
  // A handshake record under the connection's own keys: what a client that wants to renegotiate
  // sends. The library's client cannot, so the record's type is all there is; a wrong MAC would be
  // another error.
  Pair pair(hosts_.table(), GoodClient(TLS1_2_VERSION));
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  pair.client().Write(std::string("\x01\x00\x00\x00", 4));
  std::vector<uint8_t> record = pair.client().TakeOutput();
  ASSERT_EQ(record[0], SSL3_RT_APPLICATION_DATA);
  record[0] = SSL3_RT_HANDSHAKE;
  pair.to_engine() = record;
  EXPECT_EQ(ReadAll(pair), ReadStatus::kFailed);
  // The type is authenticated: what fails is the record. Nothing was renegotiated.
  EXPECT_EQ(ReasonOf(pair.engine()), "bad_message");
  EXPECT_TRUE(pair.received().empty());
}

TEST_F(WireTest, ATamperedRecordFailsTheReadWithAnAlert) {
  for (const uint16_t version : kVersions) {
    Pair pair(hosts_.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    pair.client().Write("secret");
    std::vector<uint8_t> record = pair.client().TakeOutput();
    record.back() = static_cast<uint8_t>(record.back() ^ 1);
    pair.to_engine() = record;
    EXPECT_EQ(ReadAll(pair), ReadStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "bad_message");
    (void)pair.client().Read();
    EXPECT_EQ(pair.client().alert(), SSL_AD_BAD_RECORD_MAC);
    EXPECT_NE(std::string(pair.engine().failure().detail), "");
  }
}

TEST_F(WireTest, AFinishedOutOfTurnIsABadMessageNotAVerdict) {
  // The first record is a Finished in the clear.
  Engine engine(hosts_.table());
  std::string bytes("\x16\x03\x01\x00\x10\x14\x00\x00\x0c", 9);
  bytes.append(12, 'x');
  EXPECT_EQ(Feed(engine, bytes, bytes.size()), HandshakeStatus::kFailed);
  EXPECT_EQ(ReasonOf(engine), "bad_message");
  EXPECT_TRUE(engine.verdict().accepted());
}

}  // namespace
}  // namespace portcullis::tls
