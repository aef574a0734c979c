// Opening listeners, and the Acceptor on both rings.
#include "io/listener.h"

#include <sys/resource.h>

#include <algorithm>

#include "tests/io/ring_fixture.h"

namespace portcullis::io {
namespace {

const ListenOptions kDefaults;

SocketAddress AnyPort() { return *SocketAddress::Parse("127.0.0.1:0"); }

sockaddr_in AddressOf(int fd) { return Loopback(BoundPort(fd)); }

int OptionOf(int fd, int level, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, option, &value, &length), 0);
  return value;
}

TEST(Listener, AcceptedSocketsInheritNodelay) {
  const Fd listener(*OpenListener(AnyPort(), kDefaults));
  EXPECT_NE(BoundPort(listener.get()), 0);
  EXPECT_NE(::fcntl(listener.get(), F_GETFD) & FD_CLOEXEC, 0);
  const Fd client = ConnectTo(AddressOf(listener.get()));
  const Fd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_EQ(OptionOf(accepted.get(), IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST(Listener, SeveralShareOnePortAndAllGetConnections) {
  const auto listeners = OpenListeners(AnyPort(), 3, kDefaults);
  ASSERT_TRUE(listeners.ok()) << listeners.status();
  std::vector<Fd> owned;
  for (const int fd : *listeners) owned.emplace_back(fd);
  ASSERT_EQ(owned.size(), 3U);
  for (const Fd& fd : owned) EXPECT_EQ(BoundPort(fd.get()), BoundPort(owned[0].get()));
  std::vector<Fd> clients;
  std::vector<int> accepted(3, 0);
  // The kernel spreads by a hash; each of 3 misses all of 200 with a chance below 10^-34.
  for (int i = 0; i < 200; ++i) clients.push_back(ConnectTo(AddressOf(owned[0].get())));
  for (size_t i = 0; i < owned.size(); ++i) {
    ::fcntl(owned[i].get(), F_SETFL, O_NONBLOCK);
    while (true) {
      const Fd fd(::accept4(owned[i].get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (fd.get() < 0) break;
      ++accepted[i];
    }
    EXPECT_GT(accepted[i], 0);
  }
  EXPECT_EQ(accepted[0] + accepted[1] + accepted[2], 200);
}

TEST(Listener, WhoeverIsTurnedAwayHearsWhy) {
  const Fd listener(*OpenListener(AnyPort(), kDefaults));
  const std::string words = "no room";
  const std::span bytes(reinterpret_cast<const uint8_t*>(words.data()), words.size());
  for (const std::string_view sent : {"", "what nobody will read"}) {
    const Fd client = ConnectTo(AddressOf(listener.get()));
    ASSERT_EQ(::send(client.get(), sent.data(), sent.size(), 0), static_cast<ssize_t>(sent.size()));
    TurnAway(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), bytes);
    EXPECT_EQ(ReadToEnd(client), words);
  }
}

TEST(Listener, APortThatIsTakenIsRefusedEvenIfItWouldShare) {
  const Fd holder(*OpenListener(AnyPort(), kDefaults));  // with SO_REUSEPORT, as another portcullis
  SocketAddress taken = AnyPort();
  taken.set_port(BoundPort(holder.get()));
  const absl::Status status = CheckPortFree(taken);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(std::string(status.message()).find(taken.ToString()), std::string::npos) << status;
  EXPECT_FALSE(OpenListeners(taken, 2, kDefaults).ok());
}

TEST(Listener, APortIsFreeAgainAlthoughConnectionsLingerInTimeWait) {
  Fd listener(*OpenListener(AnyPort(), kDefaults));
  SocketAddress address = AnyPort();
  address.set_port(BoundPort(listener.get()));
  {
    Fd client = ConnectTo(AddressOf(listener.get()));
    Fd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    accepted.Close();  // this side goes to TIME_WAIT
    EXPECT_EQ(ReadToEnd(client), "");
  }
  listener.Close();
  EXPECT_TRUE(CheckPortFree(address).ok()) << CheckPortFree(address);
  const Fd again(*OpenListener(address, kDefaults));
}

TEST(Listener, ErrorsNameTheAddress) {
  const auto foreign = OpenListener(*SocketAddress::Parse("192.0.2.1:0"), kDefaults);
  EXPECT_EQ(foreign.status().code(), absl::StatusCode::kFailedPrecondition) << foreign.status();
  EXPECT_NE(std::string(foreign.status().message()).find("192.0.2.1:0"), std::string::npos);
  EXPECT_EQ(OpenListener(*SocketAddress::Parse("unix:/x"), kDefaults).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Listener, AnIpv6ListenerTakesIpv4UnlessToldNotTo) {
  // The kernel is asked, not what is tested.
  if (const Fd any_v6(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)); any_v6.get() < 0)
    GTEST_SKIP() << "the kernel has no IPv6";
  const auto any = SocketAddress::Parse("[::]:0");
  for (const bool v6_only : {false, true}) {
    const auto listener = OpenListener(*any, ListenOptions{.v6_only = v6_only});
    ASSERT_TRUE(listener.ok()) << listener.status();
    const Fd owned(*listener);
    const sockaddr_in address = AddressOf(owned.get());
    const Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int result =
        ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    EXPECT_EQ(result == 0, !v6_only);
    if (result != 0) continue;
    const Fd accepted(::accept4(owned.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(PeerOf(accepted.get()).Ip(), "127.0.0.1") << "unmapped";
  }
}

class AcceptorTest : public RingFixture {
 protected:
  void SetUp() override {
    RingFixture::SetUp();
    if (ring_ == nullptr) return;
    acceptor_.Open(*OpenListener(AnyPort(), kDefaults),
                   {.owner = Owner::kListener, .generation = 1, .slot = 0});
    address_ = AddressOf(acceptor_.fd());
  }

  void TearDown() override {
    if (!acceptor_.open()) return;
    acceptor_.BeginClose(ring());
    Run([&] { return acceptor_.releasable(); });
    acceptor_.Close();
  }

  // Takes turns until `done`, dispatching to the acceptor.
  void Run(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done() && std::chrono::steady_clock::now() < deadline) Turn(kTick);
    EXPECT_TRUE(done());
  }

  void Turn(std::chrono::nanoseconds timeout) {
    Cqe batch[16];
    const int count = ring().SubmitAndReap(timeout, batch);
    ASSERT_GE(count, 0);
    for (int i = 0; i < count; ++i) Dispatch(batch[i]);
  }

  void Dispatch(const Cqe& cqe) {
    if (Token::Decode(cqe.user_data).op == Op::kCancel) {
      acceptor_.OnCancel(ring(), cqe);
      return;
    }
    const AcceptEvent event = acceptor_.OnAccept(ring(), cqe);
    last_ = event;
    if (event.kind == AcceptEvent::Kind::kAccepted) accepted_.emplace_back(event.fd);
  }

  Acceptor acceptor_;
  sockaddr_in address_{};
  std::vector<Fd> accepted_;
  AcceptEvent last_;
};

TEST_P(AcceptorTest, KeepsAcceptingFromOneArming) {
  acceptor_.Arm(ring());
  acceptor_.Arm(ring());
  EXPECT_EQ(acceptor_.inflight(), 1U);
  std::vector<Fd> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(ConnectTo(address_));
  Run([&] { return accepted_.size() == 5; });
  EXPECT_TRUE(acceptor_.armed());
  for (const Fd& fd : accepted_) {
    EXPECT_TRUE(std::any_of(clients.begin(), clients.end(), [&](const Fd& client) {
      return LocalOf(client.get()) == PeerOf(fd.get());
    }));
  }
}

TEST_P(AcceptorTest, PausedItLeavesConnectionsInTheBacklog) {
  acceptor_.Arm(ring());
  Turn(std::chrono::nanoseconds::zero());
  acceptor_.Pause(ring());
  acceptor_.Pause(ring());
  Run([&] { return acceptor_.inflight() == 0; });
  EXPECT_FALSE(acceptor_.armed());
  const Fd client = ConnectTo(address_);
  Turn(std::chrono::milliseconds(2));
  EXPECT_TRUE(accepted_.empty());
  acceptor_.Arm(ring());
  EXPECT_EQ(acceptor_.inflight(), 0U) << "paused: nothing is armed";
  acceptor_.Resume(ring());
  Run([&] { return accepted_.size() == 1; });
}

TEST_P(AcceptorTest, ResumeBeforeThePauseTookEffectKeepsAccepting) {
  acceptor_.Arm(ring());
  for (int round = 0; round < 10; ++round) {
    acceptor_.Pause(ring());
    for (int turn = 0; turn < round % 3; ++turn) Turn(std::chrono::nanoseconds::zero());
    acceptor_.Resume(ring());
    if (round % 2 == 0) Turn(std::chrono::nanoseconds::zero());
  }
  const Fd client = ConnectTo(address_);
  Run([&] { return accepted_.size() == 1; });
  acceptor_.Pause(ring());
  Run([&] { return acceptor_.inflight() == 0; });
}

TEST_P(AcceptorTest, OutOfDescriptorsAsksToBeRearmedLater) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Fd client = ConnectTo(address_);
  const Fd highest(::dup(0));
  rlimit none = before;
  acceptor_.Arm(ring());
  // The scripted ring needs a descriptor of its own to hold the operation.
  if (script() != nullptr) {
    script()->Fail(IORING_OP_ACCEPT, 1, EMFILE);
  } else {
    none.rlim_cur = static_cast<rlim_t>(highest.get());
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  Run([&] { return last_.kind == AcceptEvent::Kind::kRearmLater; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(last_.error, EMFILE);
  EXPECT_EQ(acceptor_.inflight(), 0U);
  acceptor_.Arm(ring());
  Run([&] { return accepted_.size() == 1; });
}

TEST_P(AcceptorTest, TheBacklogCanBeTakenBeforeClosing) {
  acceptor_.Arm(ring());
  Turn(std::chrono::nanoseconds::zero());
  acceptor_.BeginClose(ring());
  acceptor_.BeginClose(ring());
  Run([&] { return acceptor_.releasable(); });
  std::vector<Fd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(ConnectTo(address_));
  int taken = 0;
  for (int fd = acceptor_.TakeBacklog(); fd >= 0; fd = acceptor_.TakeBacklog()) {
    accepted_.emplace_back(fd);
    ++taken;
  }
  EXPECT_EQ(taken, 3);
  acceptor_.Close();
  Write(clients[0], "still served");
}

INSTANTIATE_ON_BOTH_RINGS(AcceptorTest);

// What an accept may fail with, and what the owner is asked to do.
TEST(AcceptorTable, EveryErrnoIsRetriedReportedOrRearmedLater) {
  using Kind = AcceptEvent::Kind;
  for (int error = 1; error <= 133; ++error) {
    SCOPED_TRACE(error);
    Kind expected = Kind::kRearmLater;
    for (const int retried : {ECANCELED, ECONNABORTED, EPROTO, EINTR}) {
      if (error == retried) expected = Kind::kNothing;
    }
    for (const int broken : {EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP}) {
      if (error == broken) expected = Kind::kError;
    }
    ScriptRing ring(ScriptOptions{.seed = 1});
    Acceptor acceptor;
    acceptor.Open(*OpenListener(AnyPort(), kDefaults), {.owner = Owner::kListener});
    acceptor.Arm(ring);
    ring.Fail(IORING_OP_ACCEPT, 1, error);
    Cqe cqe;
    ASSERT_EQ(ring.SubmitAndReap(kTick, std::span(&cqe, 1)), 1);
    const AcceptEvent event = acceptor.OnAccept(ring, cqe);
    EXPECT_EQ(event.kind, expected);
    EXPECT_EQ(event.error, expected == Kind::kNothing ? 0 : error);
    EXPECT_EQ(acceptor.armed(), expected == Kind::kNothing);
    acceptor.BeginClose(ring);
    for (int turn = 0; turn < 4 && !acceptor.releasable(); ++turn) {
      Cqe batch[4];
      const int count = ring.SubmitAndReap(kTick, batch);
      for (int i = 0; i < count; ++i) {
        if (Token::Decode(batch[i].user_data).op == Op::kCancel) {
          acceptor.OnCancel(ring, batch[i]);
        } else {
          EXPECT_EQ(acceptor.OnAccept(ring, batch[i]).kind, Kind::kNothing);
        }
      }
    }
    ASSERT_TRUE(acceptor.releasable());
    acceptor.Close();
  }
}

// A pause whose cancel finds nothing must not go on accepting for ever.
TEST(AcceptorTable, AMissedPauseIsTriedAgain) {
  ScriptRing ring(ScriptOptions{.seed = 1});
  Acceptor acceptor;
  acceptor.Open(*OpenListener(AnyPort(), kDefaults), {.owner = Owner::kListener});
  const sockaddr_in address = AddressOf(acceptor.fd());
  std::vector<Fd> accepted;
  const auto turn = [&] {
    Cqe batch[8];
    const int count = ring.SubmitAndReap(kTick, batch);
    for (int i = 0; i < count; ++i) {
      if (Token::Decode(batch[i].user_data).op == Op::kCancel) {
        acceptor.OnCancel(ring, batch[i]);
        continue;
      }
      const AcceptEvent event = acceptor.OnAccept(ring, batch[i]);
      if (event.kind == AcceptEvent::Kind::kAccepted) accepted.emplace_back(event.fd);
    }
  };
  acceptor.Arm(ring);
  turn();
  ring.set_faults({.cancel_miss = 100});
  acceptor.Pause(ring);
  turn();
  EXPECT_TRUE(acceptor.armed());
  ring.set_faults({});
  const Fd first = ConnectTo(address);
  for (int i = 0; i < 5 && acceptor.inflight() > 0; ++i) turn();
  EXPECT_EQ(accepted.size(), 1U);
  EXPECT_FALSE(acceptor.armed());
  const Fd second = ConnectTo(address);
  turn();
  EXPECT_EQ(accepted.size(), 1U);
  acceptor.BeginClose(ring);
  acceptor.Close();
}

}  // namespace
}  // namespace portcullis::io
