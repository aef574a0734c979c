// Clients that take, or let the worker take, less than they ask for: what is kept for them stays
// bounded, and nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/connection/context.h"
#include "io/output_chain.h"
#include "tests/core/worker/ring_test_fixture.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kSmallBuffer = 4096;  // of the sockets between client and worker

class BackpressureTest : public RingTest {
 protected:
  RigOptions Options() const { return {.ring = GetParam(), .socket_buffer = kSmallBuffer}; }
};

INSTANTIATE_TEST_SUITE_P(Rings, BackpressureTest, AllRings(), RingName);

std::string Get(int number) {
  return "GET /" + std::to_string(number) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

// All in one record, so that the worker has them at once.
std::string Gets(int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += Get(i);
  return all;
}

constexpr size_t kPageBytes = 10'000;

std::string Page(int number) {
  std::string body = "page " + std::to_string(number) + "\n";
  body.append(kPageBytes - body.size(), '.');
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kPageBytes) + "\r\n\r\n" + body;
}

// Whether the worker says anything more to the backend: in so many turns it has said what it will.
bool SaysMore(WorkerRig& rig, const Wire& backend) {
  for (int i = 0; i < 50 && !backend.readable(); ++i) rig.TakeTurns(1);
  return backend.readable();
}

// Whether the worker reads on: in so many turns it has read what it will.
bool Drained(WorkerRig& rig, const Wire& client) {
  for (int i = 0; i < 50 && !client.writable(); ++i) rig.TakeTurns(1);
  return client.writable();
}

void AnswerOne(Wire& backend, int number) {
  ASSERT_THAT(backend.ReceiveUntil("\r\n\r\n"), StartsWith("GET /" + std::to_string(number) + " "));
  backend.Send(Page(number));
}

void ReadUntil(TlsWire& client, std::string& all, const std::string& text) {
  while (all.find(text) == std::string::npos) {
    const std::string more = client.Receive();
    ASSERT_FALSE(more.empty()) << "the end, before " << text;
    all += more;
  }
}

int Occurrences(std::string_view all, std::string_view text) {
  int count = 0;
  for (size_t at = all.find(text); at != all.npos; at = all.find(text, at + 1)) ++count;
  return count;
}

TEST_P(BackpressureTest, AClientThatPipelinesAndDoesNotReadIsHeldBackAndLosesNothing) {
  constexpr int kRequests = 64;
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(Gets(kRequests));
  Wire backend = rig.AcceptBackend();
  int answered = 0;
  while (answered < kRequests && SaysMore(rig, backend)) AnswerOne(backend, answered++);
  ASSERT_LT(answered, kRequests / 2) << "though the client has read nothing";
  const size_t most = connection::kHighWater + 2 * kPageBytes;
  EXPECT_LE(static_cast<size_t>(rig.shard().blocks_in_use.value()), most / io::kBlockBytes + 2);
  std::string answers;
  for (int i = 0; i < kRequests; ++i) {
    if (i == answered) AnswerOne(backend, answered++);
    ReadUntil(client, answers, "page " + std::to_string(i) + "\n");
  }
  size_t at = 0;
  for (int i = 0; i < kRequests; ++i) {
    at = answers.find("page " + std::to_string(i) + "\n", at);
    EXPECT_NE(at, std::string::npos) << i << " is out of order";
  }
}

TEST_P(BackpressureTest, AClientHeldBackIsCutForStallingAndNotForIdleness) {
  RigOptions options = Options();
  options.timeouts.idle = config::milliseconds(20);
  options.timeouts.write_stall = config::milliseconds(200);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(Gets(64));
  Wire backend = rig.AcceptBackend();
  for (int i = 0; i < 64 && SaysMore(rig, backend); ++i) AnswerOne(backend, i);
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.counts().active_connections.value() == 0; }));
  (void)client.ReceiveAll();
  EXPECT_TRUE(client.reset());
  EXPECT_FALSE(client.clean_end());
}

TEST_P(BackpressureTest, ABackendThatFailsWhileItsClientDoesNotReadLeavesNoPauseBehind) {
  constexpr int kRequests = 8;
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(Gets(kRequests));
  // In one read: more than half of what may be kept for the client, and a head that is refused.
  std::string nonsense;
  for (int i = 0; i < 4; ++i) {
    nonsense += "HTTP/1.1 103 Early Hints\r\nLink: " + std::string(10'000, 'x') + "\r\n\r\n";
  }
  nonsense += "nonsense\r\n\r\n";
  const auto fail_one = [&] {
    Wire backend = rig.AcceptBackend();
    (void)backend.ReceiveUntil("\r\n\r\n");
    backend.Send(nonsense);
    (void)backend.ReceiveAll();
  };
  // The second outgrows what may be kept, and the client is not asked further until it has read.
  for (int i = 0; i < 2; ++i) fail_one();
  std::string answers;
  for (int i = 1; i <= kRequests; ++i) {
    if (i > 2) fail_one();
    while (Occurrences(answers, "HTTP/1.1 502 ") < i) {
      const std::string more = client.Receive();
      ASSERT_FALSE(more.empty()) << "the end, at answer " << i;
      answers += more;
    }
  }
  EXPECT_THAT(answers, HasSubstr("103 Early Hints"));
}

TEST_P(BackpressureTest, OfAClientWhoseHandshakeWaitsForItsTurnNoMoreIsReadThanIsKept) {
  RigOptions options = Options();
  options.handshake_budget = std::chrono::nanoseconds(0);  // its turn never comes
  options.timeouts.handshake = config::milliseconds(600'000);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  const std::string flood(size_t{1024} * 1024, '\x16');
  size_t sent = 0;
  while (sent < flood.size()) {
    const size_t more = client.wire().SendSome(std::string_view(flood).substr(sent));
    if (more == 0 && !Drained(rig, client.wire())) break;
    sent += more;
  }
  EXPECT_LT(sent, flood.size() / 2);
  EXPECT_EQ(rig.counts().handshakes_in_progress.value(), 1);
}

TEST_P(BackpressureTest, ManyHandshakesWaitForTheirTurnAndAllOfThemGetIt) {
  RigOptions options = Options();
  options.handshake_budget = std::chrono::nanoseconds(1000);
  WorkerRig rig(options);
  std::vector<std::unique_ptr<TlsWire>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<TlsWire>(rig.port(), rig.Client()));
    clients.back()->Greet();
  }
  for (auto& client : clients) EXPECT_TRUE(client->Handshake());
}

}  // namespace
}  // namespace portcullis::worker
