// Live connections move to the runtime in force, and the one before is handed back while they live.
// The test frees it at once, so that the sanitizers see whoever still looks into it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "io/listener.h"
#include "tests/core/worker/ring_test_fixture.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kGetHello[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr char kHello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// A backend that only a later configuration knows.
class OtherBackend {
 public:
  OtherBackend() : fd_(*io::OpenListener(*io::SocketAddress::Parse("127.0.0.1:0"), {})) {}
  ~OtherBackend() { close(fd_); }
  OtherBackend(const OtherBackend&) = delete;
  OtherBackend& operator=(const OtherBackend&) = delete;

  // UseIn makes it the one target of `runtime`.
  std::unique_ptr<connection::Runtime> UseIn(std::unique_ptr<connection::Runtime> runtime) const {
    runtime->backends.front()->targets.front()->address.set_port(io::BoundPort(fd_));
    return runtime;
  }
  [[nodiscard]] Wire Accept() const {
    pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&entry, 1, 20'000), 1) << "the backend was not connected to";
    return Wire(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  int fd_;
};

class MoveTest : public RingTest {
 protected:
  RigOptions Options(config::StageMode mode = config::StageMode::kHttp) const {
    return {.ring = GetParam(), .mode = mode};
  }

  // The worker hands back one runtime, which is freed.
  static void ExpectReturned(WorkerRig& rig) {
    EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.TakeReturned() == 1; }));
  }

  // Each connection has been asked, and no runtime is handed back.
  static void ExpectKept(WorkerRig& rig) {
    rig.TakeTurns(5);
    EXPECT_EQ(rig.TakeReturned(), 0U);
  }

  static void ExpectServedBy(Wire& backend, TlsWire& client) {
    EXPECT_THAT(backend.ReceiveUntil("\r\n\r\n"), StartsWith("GET /hello"));
    backend.Send(kHello);
    EXPECT_THAT(client.ReceiveUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }

  static uint64_t Lapses(WorkerRig& rig) {
    return rig.counts().lapses(static_cast<size_t>(tls::Rejection::kUnknownCa));
  }

  // The next reload is one that does not know the client's CA.
  static void ExpectLapses(WorkerRig& rig, TlsWire& client,
                           const WorkerRig::Change& change = nullptr) {
    rig.Publish(rig.MakeStricterRuntime(change), -1);
    EXPECT_EQ(client.ReceiveAll(), "");
    EXPECT_TRUE(client.clean_end());
    EXPECT_EQ(Lapses(rig), 1U);
  }
};

INSTANTIATE_TEST_SUITE_P(Rings, MoveTest, AllRings(), RingName);

TEST_P(MoveTest, AnIdleHttpConnectionIsServedByTheNewBackendAndLapsesAtTheNextReload) {
  WorkerRig rig(Options());
  const OtherBackend other;
  TlsWire asked = rig.Connect(rig.Client());
  ASSERT_TRUE(asked.Handshake());
  rig.ExpectServed(asked);
  for (int reload = 0; reload < 3; ++reload) {
    rig.Publish(other.UseIn(rig.MakeRuntime()), -1);
    ExpectReturned(rig);
    asked.Send(kGetHello);
    Wire backend = other.Accept();
    ExpectServedBy(backend, asked);
  }
  ExpectLapses(rig, asked);
  ExpectReturned(rig);
}

TEST_P(MoveTest, AnExchangeUnderWayIsFinishedWithTheBackendThatItBeganWith) {
  WorkerRig rig(Options());
  const OtherBackend other;
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGetHello);
  Wire before = rig.AcceptBackend();
  EXPECT_THAT(before.ReceiveUntil("\r\n\r\n"), StartsWith("GET /hello"));
  rig.Publish(other.UseIn(rig.MakeRuntime()), -1);
  ExpectReturned(rig);
  before.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
  EXPECT_THAT(client.ReceiveUntil("first"), StartsWith("HTTP/1.1 200 OK\r\n"));
  rig.Publish(other.UseIn(rig.MakeRuntime()), -1);  // and once more, in the middle of the answer
  ExpectReturned(rig);
  before.Send("hello");
  EXPECT_EQ(client.ReceiveUntil("hello"), "hello");
  EXPECT_EQ(before.ReceiveAll(), "") << "it is not kept for another request";
  client.Send(kGetHello);
  Wire after = other.Accept();
  ExpectServedBy(after, client);
  ExpectLapses(rig, client);
}

TEST_P(MoveTest, ARequestIsTriedAgainWhereItWasRouted) {
  WorkerRig rig(Options());
  const OtherBackend other;
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGetHello);
  Wire kept = rig.AcceptBackend();
  ExpectServedBy(kept, client);
  client.Send(kGetHello);
  EXPECT_THAT(kept.ReceiveUntil("\r\n\r\n"), StartsWith("GET /hello"));
  rig.Publish(other.UseIn(rig.MakeRuntime()), -1);
  ExpectReturned(rig);
  kept.Close();  // without an answer, as a connection that was kept too long
  Wire again = rig.AcceptBackend();
  ExpectServedBy(again, client);
}

TEST_P(MoveTest, AClientInTheMiddleOfItsRequestIsRoutedOnce) {
  WorkerRig rig(Options());
  const OtherBackend other;
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send("PUT /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nhalf");
  Wire backend = rig.AcceptBackend();
  EXPECT_THAT(backend.ReceiveUntil("half"), StartsWith("PUT /hello"));
  rig.Publish(other.UseIn(rig.MakeRuntime()), -1);
  ExpectReturned(rig);
  client.Send("rest");
  EXPECT_EQ(backend.ReceiveUntil("rest"), "rest");
  backend.Send(kHello);
  EXPECT_THAT(client.ReceiveUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_P(MoveTest, ATcpStreamGoesOnAndLapsesAtTheNextReload) {
  WorkerRig rig(Options(config::StageMode::kTcp));
  const OtherBackend other;
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  Wire backend = rig.AcceptBackend();
  for (int reload = 0; reload < 3; ++reload) {
    client.Send("ping");
    EXPECT_EQ(backend.ReceiveUntil("ping"), "ping");
    backend.Send("pong");
    EXPECT_EQ(client.ReceiveUntil("pong"), "pong");
    rig.Publish(other.UseIn(rig.MakeRuntime()), -1);
    ExpectReturned(rig);
  }
  ExpectLapses(rig, client);
  EXPECT_EQ(backend.ReceiveAll(), "");
  EXPECT_TRUE(backend.reset()) << "what was cut off must not look complete";
}

TEST_P(MoveTest, AnUpgradedConnectionGoesOn) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  Wire backend = rig.AcceptBackend();
  EXPECT_THAT(backend.ReceiveUntil("\r\n\r\n"), HasSubstr("Upgrade: echo\r\n"));
  backend.Send("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst");
  EXPECT_THAT(client.ReceiveUntil("first"), StartsWith("HTTP/1.1 101 "));
  rig.Publish(rig.MakeRuntime(), -1);
  ExpectReturned(rig);
  client.Send("ping");
  EXPECT_EQ(backend.ReceiveUntil("ping"), "ping");
  ExpectLapses(rig, client);
}

TEST_P(MoveTest, AConnectionThatWaitsForItsBackendGoesOnToTheNewOne) {
  const DeadTarget silent(DeadTarget::Kind::kSilent);
  RigOptions options = Options(config::StageMode::kTcp);
  options.only_target = silent.port();
  options.connect_timeout = std::chrono::milliseconds(300);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send("early");
  const OtherBackend other;
  std::unique_ptr<connection::Runtime> runtime = other.UseIn(rig.MakeRuntime());
  auto& targets = runtime->backends.front()->targets;
  targets.push_back(std::make_unique<backend::TargetRuntime>());
  targets.back()->address = targets.front()->address;
  targets.back()->text = targets.front()->text;
  rig.Publish(std::move(runtime), -1);
  ExpectReturned(rig);
  Wire backend = other.Accept();
  EXPECT_EQ(backend.ReceiveUntil("early"), "early");
}

TEST_P(MoveTest, AHandshakeUnderWayIsMovedWhenItIsDone) {
  WorkerRig rig(Options());
  const OtherBackend other;
  TlsWire client = rig.Connect(rig.Client());
  client.Greet();
  ASSERT_TRUE(WorkerRig::Eventually([&] { return rig.counts().accepted.value() == 1; }));
  rig.Publish(other.UseIn(rig.MakeRuntime()), -1);
  ExpectKept(rig);
  ASSERT_TRUE(client.Handshake());
  ExpectReturned(rig);  // with a ticket not yet sent
  client.Send(kGetHello);
  Wire backend = other.Accept();
  ExpectServedBy(backend, client);
}

TEST_P(MoveTest, TheListenersNewNameHasTheConnection) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
  std::unique_ptr<connection::Runtime> runtime = rig.MakeRuntime();
  runtime->listeners.front()->metrics_id = 1;
  rig.Publish(std::move(runtime), -1);
  ExpectReturned(rig);
  metrics::ListenerShard& renamed = rig.shard().listener(1);
  EXPECT_EQ(rig.counts().active_connections.value(), 0);
  EXPECT_EQ(renamed.active_connections.value(), 1);
  rig.ExpectServed(client);
  client.CloseNotify();
  EXPECT_TRUE(WorkerRig::Eventually([&] { return renamed.active_connections.value() == 0; }));
}

TEST_P(MoveTest, WhoIsLeftAloneMovesWithoutBeingAsked) {
  RigOptions options = Options();
  options.close_on_change = false;
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  for (int reload = 0; reload < 2; ++reload) {
    rig.Publish(rig.MakeStricterRuntime(), -1);
    ExpectReturned(rig);
    rig.ExpectServed(client);
  }
  EXPECT_EQ(Lapses(rig), 0U);
}

// By the rules that its path was found by, not those of the host that it came to meanwhile.
TEST_P(MoveTest, WhoWasLeftAloneIsAskedAgainWhereTheHostNoLongerDoesSo) {
  RigOptions options = Options();
  options.close_on_change = false;
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.Publish(rig.MakeStricterRuntime(), -1);
  ExpectReturned(rig);
  rig.Publish(rig.MakeRuntime([](tls::HostSpec& spec) { spec.client_auth.close_on_change = true; }),
              -1);
  ExpectReturned(rig);
  rig.ExpectServed(client);
  ExpectLapses(rig, client, [](tls::HostSpec& spec) { spec.client_auth.close_on_change = true; });
}

TEST_P(MoveTest, NobodyIsMovedToWhereNobodyWouldAsk) {
  const auto changes = {
      +[](tls::HostSpec& spec) { spec.client_auth.mode = tls::ClientAuthMode::kOff; },
      +[](tls::HostSpec& spec) { spec.client_auth.close_on_change = false; },
      +[](tls::HostSpec& spec) {
        spec.name = "other";
        spec.client_auth = {};
      }};
  for (const auto& change : changes) {
    WorkerRig rig(Options());
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    rig.ExpectServed(client);
    rig.Publish(rig.MakeRuntime(change), -1);
    ExpectKept(rig);
    client.wire().Close();
    ExpectReturned(rig);
  }
}

TEST_P(MoveTest, WhoResumedWithoutItsCertificateIsNotMovedToWhereItIsPassedOn) {
  WorkerRig rig(Options());
  TlsWire first = rig.Connect(rig.Client());
  ASSERT_TRUE(first.Handshake());
  rig.ExpectServed(first);
  const bssl::UniquePtr<SSL_SESSION> session = first.client().TakeSession();
  ASSERT_NE(session, nullptr);
  first.CloseNotify();
  tls::testing::ClientOptions options = rig.Client();
  options.session = session.get();
  TlsWire client = rig.Connect(options);
  ASSERT_TRUE(client.Handshake());
  ASSERT_TRUE(client.client().resumed());
  rig.Publish(rig.MakeRuntime([](tls::HostSpec& spec) { spec.client_auth.keep_leaf = true; }), -1);
  ExpectKept(rig);
  rig.ExpectServed(client);
  rig.Publish(rig.MakeRuntime(), -1);
  EXPECT_TRUE(WorkerRig::Eventually([&, count = size_t{0}]() mutable {
    count += rig.TakeReturned();
    return count == 2;  // its own, too
  }));
}

TEST_P(MoveTest, NobodyIsMovedToAListenerOfAnotherModeOrAddress) {
  const auto changes = {
      +[](connection::ListenerRuntime& listener) { listener.mode = config::StageMode::kTcp; },
      +[](connection::ListenerRuntime& listener) { listener.address = "elsewhere"; }};
  for (const auto& change : changes) {
    WorkerRig rig(Options());
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    rig.ExpectServed(client);
    std::unique_ptr<connection::Runtime> runtime = rig.MakeRuntime();
    connection::ListenerRuntime& listener = *runtime->listeners.front();
    change(listener);
    const bool is_elsewhere = listener.address == "elsewhere";
    const int socket =
        is_elsewhere ? *io::OpenListener(*io::SocketAddress::Parse("127.0.0.1:0"), {}) : -1;
    rig.Publish(std::move(runtime), socket);
    ExpectKept(rig);
    rig.ExpectServed(client);
    client.wire().Close();
    ExpectReturned(rig);
  }
}

TEST_P(MoveTest, ADrainFinishesWhatWasMoved) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGetHello);
  Wire backend = rig.AcceptBackend();
  (void)backend.ReceiveUntil("\r\n\r\n");
  rig.Publish(rig.MakeRuntime(), -1);
  rig.worker().Post(Drain{std::chrono::seconds(15)});
  ExpectReturned(rig);
  backend.Send(kHello);
  EXPECT_THAT(client.ReceiveAll(), HasSubstr("hello"));
  EXPECT_TRUE(client.clean_end());
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.worker().ended(); }));
}

}  // namespace
}  // namespace portcullis::worker
