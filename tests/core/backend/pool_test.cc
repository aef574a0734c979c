#include "core/backend/pool.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <vector>

#include "io/listener.h"
#include "io/script_ring.h"

namespace portcullis::backend {
namespace {

struct User : UpstreamUser {};

// A pool on a scripted ring, and the dispatch that a worker would do for it.
class PoolTest : public ::testing::Test {
 protected:
  PoolTest() : wheel_(0), pool_(env_, wheel_, 8) {}

  ~PoolTest() override {
    for (auto& runtime : runtimes_) pool_.Retire(*runtime);
    for (Upstream* upstream : live_) pool_.Close(*upstream, false);
    EXPECT_TRUE(RunUntil([&] { return pool_.live() == 0; })) << "an upstream was never released";
    for (const int fd : accepted_) close(fd);
    for (const int fd : listeners_) close(fd);
  }

  // A listening socket; returns its address.
  io::SocketAddress Listen() {
    const auto fd = io::OpenListener(*io::SocketAddress::Parse("127.0.0.1:0"), {});
    EXPECT_TRUE(fd.ok());
    listeners_.push_back(*fd);
    return io::LocalOf(*fd);
  }

  BackendRuntime& MakeBackend(const std::vector<io::SocketAddress>& targets) {
    config::Backend backend;
    backend.name = "app";
    std::vector<std::pair<io::SocketAddress, std::string>> resolved;
    for (const auto& target : targets) resolved.emplace_back(target, target.ToString());
    runtimes_.push_back(MakeRuntime(backend, 0, resolved));
    return *runtimes_.back();
  }

  Upstream* Dial(BackendRuntime& backend) {
    const auto shared = std::find_if(runtimes_.begin(), runtimes_.end(),
                                     [&](const auto& each) { return each.get() == &backend; });
    Upstream* upstream = pool_.Dial(*shared, user_, now_ms_);
    if (upstream != nullptr) live_.push_back(upstream);
    return upstream;
  }

  void Turn() {
    std::array<io::Cqe, 64> batch;
    const int count = ring_.SubmitAndReap(std::chrono::milliseconds(1), batch);
    ASSERT_GE(count, 0);
    for (int i = 0; i < count; ++i) Dispatch(batch[static_cast<size_t>(i)]);
    pool_.Sweep();
  }

  void Dispatch(const io::Cqe& cqe) {
    const io::Token token = io::Token::Decode(cqe.user_data);
    const io::BufferLease lease(*buffers_, token.op == io::Op::kRecv ? cqe : io::Cqe{});
    Upstream* upstream = pool_.slab().Find(token.slot, token.generation);
    ASSERT_NE(upstream, nullptr) << "a completion for a released upstream";
    if (token.op == io::Op::kConnect)
      connect_results_.push_back(pool_.OnConnect(*upstream, cqe, now_ms_));
    if (token.op == io::Op::kSend) (void)upstream->stream.OnSend(env_, cqe);
    if (token.op == io::Op::kCancel) upstream->stream.OnCancel(env_, cqe);
    if (token.op != io::Op::kRecv) return;
    const io::RecvEvent event = upstream->stream.OnRecv(env_, cqe, lease.bytes());
    if (upstream->state == UpstreamState::kIdle && event != io::RecvEvent::kNothing)
      pool_.OnIdleEvent(*upstream);
  }

  [[nodiscard]] bool RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline || HasFatalFailure()) return false;
      Turn();
    }
    return true;
  }

  Upstream* Connected(BackendRuntime& backend) {
    const size_t before = connect_results_.size();
    Upstream* upstream = Dial(backend);
    EXPECT_NE(upstream, nullptr);
    EXPECT_TRUE(RunUntil([&] { return connect_results_.size() > before; }));
    EXPECT_EQ(connect_results_.back(), 0);
    return upstream;
  }

  void Forget(Upstream* upstream) { std::erase(live_, upstream); }

  io::ScriptRing ring_{io::ScriptOptions{}};
  std::unique_ptr<io::BufferRing> buffers_ = *io::BufferRing::Create(ring_, 1, 16, 4096);
  io::BlockPool blocks_{4};
  io::IntrusiveList rearm_;
  io::StreamCounters counters_;
  io::StreamEnv env_{ring_, *buffers_, blocks_, rearm_, counters_};
  io::TimerWheel wheel_;
  Pool pool_;
  User user_;
  io::Millis now_ms_ = 1000;
  std::vector<std::shared_ptr<BackendRuntime>> runtimes_;
  std::vector<Upstream*> live_;  // those the destructor has to close
  std::vector<int> connect_results_;
  std::vector<int> listeners_;
  std::vector<int> accepted_;
};

TEST_F(PoolTest, TargetsAreDialledInTurn) {
  BackendRuntime& backend = MakeBackend({Listen(), Listen(), Listen()});
  std::vector<TargetRuntime*> dialled;
  for (int i = 0; i < 6; ++i) dialled.push_back(Connected(backend)->target);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(dialled[i], backend.targets[i % 3].get()) << i;
}

TEST_F(PoolTest, AKeptConnectionIsLentAgainAndNotWhileLent) {
  BackendRuntime& backend = MakeBackend({Listen()});
  Upstream* first = Connected(backend);
  EXPECT_FALSE(first->reused);
  EXPECT_EQ(pool_.TakeIdle(backend, user_, now_ms_), nullptr);
  pool_.Keep(*first, now_ms_);
  EXPECT_EQ(first->state, UpstreamState::kIdle);
  EXPECT_EQ(backend.num_idle, 1U);
  EXPECT_EQ(pool_.TakeIdle(backend, user_, now_ms_), first);
  EXPECT_TRUE(first->reused);
  EXPECT_EQ(backend.num_idle, 0U);
  EXPECT_EQ(pool_.TakeIdle(backend, user_, now_ms_), nullptr);
}

TEST_F(PoolTest, RequestsGoRoundTheTargetsWhenConnectionsAreKeptToo) {
  BackendRuntime& backend = MakeBackend({Listen(), Listen(), Listen()});
  std::vector<TargetRuntime*> used;
  for (int i = 0; i < 9; ++i) {
    Upstream* upstream = pool_.TakeIdle(backend, user_, now_ms_);
    if (upstream == nullptr) upstream = Connected(backend);
    used.push_back(upstream->target);
    pool_.Keep(*upstream, now_ms_);
  }
  for (size_t i = 0; i < used.size(); ++i) EXPECT_EQ(used[i], backend.targets[i % 3].get()) << i;
  EXPECT_EQ(backend.num_upstreams, 3U);
}

TEST_F(PoolTest, NoMoreIdleConnectionsAreKeptThanAllowed) {
  BackendRuntime& backend = MakeBackend({Listen()});
  backend.max_idle_per_target = 1;
  Upstream* first = Connected(backend);
  Upstream* second = Connected(backend);
  pool_.Keep(*first, now_ms_);
  pool_.Keep(*second, now_ms_);
  Forget(second);
  EXPECT_EQ(first->state, UpstreamState::kIdle);
  EXPECT_TRUE(RunUntil([&] { return backend.num_upstreams == 1; }));
}

TEST_F(PoolTest, AnIdleConnectionThatTheBackendClosesLeavesThePool) {
  const io::SocketAddress address = Listen();
  BackendRuntime& backend = MakeBackend({address});
  Upstream* upstream = Connected(backend);
  const int peer = accept(listeners_.back(), nullptr, nullptr);
  ASSERT_GE(peer, 0);
  pool_.Keep(*upstream, now_ms_);
  Forget(upstream);
  close(peer);
  EXPECT_TRUE(RunUntil([&] { return backend.num_upstreams == 0; }));
  EXPECT_EQ(pool_.TakeIdle(backend, user_, now_ms_), nullptr);
  EXPECT_EQ(pool_.counters().idle_closed, 1U);
}

TEST_F(PoolTest, AnIdleConnectionOnWhichTheBackendSpeaksIsNeverLentAgain) {
  BackendRuntime& backend = MakeBackend({Listen()});
  Upstream* upstream = Connected(backend);
  const int peer = accept(listeners_.back(), nullptr, nullptr);
  ASSERT_GE(peer, 0);
  accepted_.push_back(peer);
  pool_.Keep(*upstream, now_ms_);
  Forget(upstream);
  ASSERT_EQ(send(peer, "HTTP/1.1 200 OK\r\n", 17, 0), 17);
  EXPECT_TRUE(RunUntil([&] { return backend.num_upstreams == 0; }));
}

TEST_F(PoolTest, ARefusedTargetIsPassedOverWhileAnotherIsThere) {
  const io::SocketAddress dead = Listen();
  close(listeners_.back());
  listeners_.pop_back();
  BackendRuntime& backend = MakeBackend({dead, Listen()});
  ASSERT_NE(Dial(backend), nullptr);
  ASSERT_TRUE(RunUntil([&] { return connect_results_.size() == 1; }));
  EXPECT_EQ(connect_results_[0], ECONNREFUSED);
  live_.clear();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Connected(backend)->target, backend.targets[1].get());
  // Later it is tried again.
  now_ms_ += 10'000;
  Upstream* again = Dial(backend);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->target, backend.targets[0].get());
  ASSERT_TRUE(RunUntil([&] { return connect_results_.size() == 5; }));
  Forget(again);
}

TEST_F(PoolTest, WhenEveryTargetIsDownOneIsTriedAllTheSame) {
  const io::SocketAddress dead = Listen();
  close(listeners_.back());
  listeners_.pop_back();
  BackendRuntime& backend = MakeBackend({dead});
  for (size_t i = 1; i <= 2; ++i) {
    ASSERT_NE(Dial(backend), nullptr);
    ASSERT_TRUE(RunUntil([&] { return connect_results_.size() == i; }));
    EXPECT_EQ(connect_results_.back(), ECONNREFUSED);
  }
  live_.clear();
}

TEST_F(PoolTest, ConnectDeadlineFiresForADialButNotOnceConnected) {
  BackendRuntime& backend = MakeBackend({Listen()});
  Upstream* dialling = Dial(backend);
  ASSERT_NE(dialling, nullptr);
  EXPECT_TRUE(wheel_.armed(dialling->timer));
  EXPECT_TRUE(pool_.OnTimer(*dialling));
  ASSERT_TRUE(RunUntil([&] { return connect_results_.size() == 1; }));
  EXPECT_FALSE(wheel_.armed(dialling->timer));
}

TEST_F(PoolTest, KeepAliveDeadlineClosesAnIdleConnection) {
  BackendRuntime& backend = MakeBackend({Listen()});
  Upstream* upstream = Connected(backend);
  pool_.Keep(*upstream, now_ms_);
  Forget(upstream);
  EXPECT_FALSE(pool_.OnTimer(*upstream));
  EXPECT_EQ(backend.num_idle, 0U);
  EXPECT_TRUE(RunUntil([&] { return backend.num_upstreams == 0; }));
}

TEST_F(PoolTest, NothingIsKeptOfABackendThatIsRetired) {
  BackendRuntime& backend = MakeBackend({Listen()});
  Upstream* busy = Connected(backend);
  Upstream* idle = Connected(backend);
  pool_.Keep(*idle, now_ms_);
  Forget(idle);
  pool_.Retire(backend);
  EXPECT_TRUE(RunUntil([&] { return backend.num_upstreams == 1; }));
  EXPECT_EQ(busy->state, UpstreamState::kBusy);
  pool_.Keep(*busy, now_ms_);
  Forget(busy);
  EXPECT_TRUE(RunUntil([&] { return backend.num_upstreams == 0; }));
}

TEST_F(PoolTest, AConnectionHoldsItsBackendUntilItIsGone) {
  BackendRuntime& backend = MakeBackend({Listen()});
  Upstream* upstream = Connected(backend);
  const std::weak_ptr<BackendRuntime> watched = runtimes_.back();
  pool_.Retire(backend);
  runtimes_.clear();
  ASSERT_FALSE(watched.expired());
  EXPECT_EQ(upstream->backend->num_upstreams, 1U);
  pool_.Keep(*upstream, now_ms_);
  Forget(upstream);
  EXPECT_TRUE(RunUntil([&] { return pool_.live() == 0; }));
  EXPECT_TRUE(watched.expired());
}

TEST_F(PoolTest, ADialThatIsClosedMeanwhileIsNobodysConnection) {
  BackendRuntime& backend = MakeBackend({Listen()});
  Upstream* upstream = Dial(backend);
  ASSERT_NE(upstream, nullptr);
  pool_.Close(*upstream, false);
  EXPECT_EQ(upstream->user, nullptr);
  Forget(upstream);
  EXPECT_TRUE(RunUntil([&] { return pool_.live() == 0; }));
  for (const int result : connect_results_) EXPECT_NE(result, 0);
}

TEST_F(PoolTest, RunningOutOfSlotsIsToldNotFatal) {
  BackendRuntime& backend = MakeBackend({Listen()});
  for (int i = 0; i < 8; ++i) ASSERT_NE(Dial(backend), nullptr);
  EXPECT_EQ(Dial(backend), nullptr);
  ASSERT_TRUE(RunUntil([&] { return connect_results_.size() == 8; }));
}

}  // namespace
}  // namespace portcullis::backend
