#include "core/server/commands/session_loop.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "openssl/sha.h"

#include "core/server/commands/demo_site.h"
#include "io/listener.h"
#include "tests/core/server/commands/test_client.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// One loop on a thread of its own.
class LoopRunner {
 public:
  explicit LoopRunner(BackendMode mode) {
    const absl::StatusOr<int> fd = io::OpenListener(*io::SocketAddress::Parse("127.0.0.1:0"),
                                                    {.backlog = 128, .reuse_port = false});
    EXPECT_TRUE(fd.ok()) << fd.status();
    listen_fd_ = *fd;
    fcntl(listen_fd_, F_SETFL, fcntl(listen_fd_, F_GETFL) | O_NONBLOCK);
    stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop_ = std::make_unique<SessionLoop>(listen_fd_, stop_fd_, mode);
    EXPECT_TRUE(loop_->Open().ok());
    thread_ = std::thread([this] {
      loop_->Run();
      clockid_t clock;
      pthread_getcpuclockid(pthread_self(), &clock);
      timespec used{};
      clock_gettime(clock, &used);
      cpu_ = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
    });
  }
  ~LoopRunner() { Stop(); }
  LoopRunner(const LoopRunner&) = delete;
  LoopRunner& operator=(const LoopRunner&) = delete;

  [[nodiscard]] std::string address() const {
    return absl::StrCat("127.0.0.1:", io::BoundPort(listen_fd_));
  }

  // Ends the loop and returns the CPU time it took.
  std::chrono::nanoseconds Stop() {
    if (thread_.joinable()) {
      eventfd_write(stop_fd_, 1);
      thread_.join();
      loop_.reset();
      close(listen_fd_);
      close(stop_fd_);
    }
    return cpu_;
  }

 private:
  int listen_fd_ = -1;
  int stop_fd_ = -1;
  std::unique_ptr<SessionLoop> loop_;
  std::thread thread_;
  std::chrono::nanoseconds cpu_{0};
};

constexpr auto kIdleCpu = std::chrono::milliseconds(100);

std::string SiteBytes(size_t count) {
  std::string bytes;
  AppendSiteBytes(0, count, bytes);
  return bytes;
}

// A generous bound on all the buffers between a client that writes and one that should read.
constexpr size_t kMuch = 64 << 20;

TEST(SessionLoop, SendsMoreThanAnyBufferHolds) {
  LoopRunner runner(BackendMode::kHttp);
  TestClient client(runner.address());
  client.Send("GET /bytes/20000000 HTTP/1.0\r\n\r\n");
  const std::string answer = client.ReadToEnd();
  const size_t body = answer.find("\r\n\r\n") + 4;
  EXPECT_EQ(answer.size() - body, 20000000u);
  EXPECT_TRUE(answer.compare(body, answer.npos, SiteBytes(20000000)) == 0);
}

TEST(SessionLoop, StopsReadingFromWhoDoesNotRead) {
  LoopRunner runner(BackendMode::kEcho);
  TestClient client(runner.address());
  const std::string piece = SiteBytes(1 << 16);
  size_t sent = 0;
  // Without a limit of its own the loop would take all of it.
  for (int idle = 0; idle < 20 && sent < kMuch;) {
    const size_t count = client.TrySend(piece);
    sent += count;
    pollfd polled{.fd = client.fd(), .events = POLLOUT, .revents = 0};
    idle = count > 0 || poll(&polled, 1, 20) > 0 ? 0 : idle + 1;
  }
  EXPECT_LT(sent, kMuch);
  // Nothing of it is lost: it all comes once it is read.
  client.SendEnd();
  EXPECT_EQ(client.ReadToEnd().size(), sent);
  EXPECT_LT(runner.Stop(), std::chrono::seconds(5));
}

TEST(SessionLoop, EchoesBothWaysAtOnceAndEndsInOrder) {
  LoopRunner runner(BackendMode::kEcho);
  TestClient client(runner.address());
  const std::string text = SiteBytes(8 << 20);
  std::thread writer([&client, &text] {
    EXPECT_TRUE(client.Send(text));
    client.SendEnd();
  });
  EXPECT_TRUE(client.ReadToEnd() == text);
  EXPECT_FALSE(client.reset());
  writer.join();
}

TEST(SessionLoop, SinksAnUploadWithoutHoldingIt) {
  LoopRunner runner(BackendMode::kHttp);
  TestClient client(runner.address());
  const std::string body = SiteBytes(16 << 20);
  client.Send(absl::StrCat("PUT /sink HTTP/1.0\r\nContent-Length: ", body.size(), "\r\n\r\n"));
  ASSERT_TRUE(client.Send(body));
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(body.data()), body.size(), digest);
  EXPECT_THAT(client.ReadToEnd(),
              HasSubstr(absl::BytesToHexString({reinterpret_cast<const char*>(digest), 32})));
}

TEST(SessionLoop, AnswersALongPipelineThatCameAtOnce) {
  LoopRunner runner(BackendMode::kHttp);
  TestClient client(runner.address());
  std::string requests;
  constexpr int kRequests = 2000;
  for (int i = 0; i < kRequests; ++i) requests += "GET /bytes/1000 HTTP/1.1\r\nHost: h\r\n\r\n";
  std::thread writer([&] {
    EXPECT_TRUE(client.Send(requests));
    client.SendEnd();
  });
  const std::string answers = client.ReadToEnd();
  writer.join();
  int count = 0;
  for (size_t at = answers.find("HTTP/1.1 200"); at != answers.npos;
       at = answers.find("HTTP/1.1 200", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, kRequests);
}

TEST(SessionLoop, AnswersAfterTheClientsEnd) {
  LoopRunner runner(BackendMode::kHttp);
  TestClient client(runner.address());
  client.Send("GET /delay/20 HTTP/1.1\r\nHost: h\r\n\r\n");
  client.SendEnd();
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("after 20 ms"));
}

TEST(SessionLoop, WakesForDelaysInTheirOrder) {
  LoopRunner runner(BackendMode::kHttp);
  const auto start = std::chrono::steady_clock::now();
  TestClient slow(runner.address());
  TestClient quick(runner.address());
  slow.Send("GET /delay/120 HTTP/1.0\r\n\r\n");
  quick.Send("GET /delay/40 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(quick.ReadToEnd(), HasSubstr("after 40 ms"));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(40));
  EXPECT_THAT(slow.ReadToEnd(), HasSubstr("after 120 ms"));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(120));
}

TEST(SessionLoop, AnErrorAnswerReachesAClientThatStillSends) {
  LoopRunner runner(BackendMode::kHttp);
  TestClient client(runner.address());
  client.Send("NONSENSE\r\n\r\n");
  // What comes after it must not turn into a reset which destroys the answer.
  client.Send(std::string(1 << 20, 'x'));
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 400 "));
  EXPECT_FALSE(client.reset());
}

TEST(SessionLoop, LetsGoOfAClientThatNeverEnds) {
  LoopRunner runner(BackendMode::kHttp);
  TestClient client(runner.address());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  client.ReadToEnd();
  // The backend waits for our end for two seconds, no longer: then sending fails.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(8);
  bool gone = false;
  while (!gone && std::chrono::steady_clock::now() < deadline) {
    pollfd polled{.fd = client.fd(), .events = POLLIN, .revents = 0};
    poll(&polled, 1, 0);
    gone = (polled.revents & (POLLHUP | POLLERR)) != 0;
    if (!gone) {
      client.TrySend("x");
      poll(nullptr, 0, 50);
    }
  }
  EXPECT_TRUE(gone);
  EXPECT_LT(runner.Stop(), std::chrono::seconds(1));
}

TEST(SessionLoop, SurvivesClientsThatBreakOffAnywhere) {
  LoopRunner runner(BackendMode::kHttp);
  for (int i = 0; i < 60; ++i) {
    TestClient client(runner.address());
    const std::string request = "GET /bytes/10000000 HTTP/1.1\r\nHost: h\r\n\r\n";
    client.Send(request.substr(0, request.size() * static_cast<size_t>(i % 20) / 19));
    if (i % 3 == 0) client.ReadBytes(i % 20 == 19 ? 1000 : 0);
    if (i % 2 == 0) {
      const linger reset{.l_onoff = 1, .l_linger = 0};
      setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
  }
  TestClient client(runner.address());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 200"));
}

TEST(SessionLoop, TakesNoTimeWhileNobodyAsks) {
  LoopRunner runner(BackendMode::kHttp);
  TestClient idle(runner.address());
  TestClient half(runner.address());
  half.Send("GET /");
  TestClient stalled(runner.address());
  stalled.Send("GET /bytes/100000000 HTTP/1.1\r\nHost: h\r\n\r\n");
  TestClient delayed(runner.address());
  delayed.Send("GET /delay/700 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(delayed.ReadToEnd(), HasSubstr("after 700 ms"));
  EXPECT_LT(runner.Stop(), kIdleCpu * 3);
}

TEST(SessionLoop, WaitsOutAShortageOfDescriptors) {
  LoopRunner runner(BackendMode::kHttp);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  // Our own end takes the last descriptor allowed, so that the loop finds none for its own.
  TestClient first(runner.address());
  first.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  first.ReadUntil("</html>");
  const int probe = dup(0);
  close(probe);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(probe) + 1;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  TestClient second(runner.address());
  ASSERT_TRUE(second.connected());
  second.Send("GET / HTTP/1.0\r\n\r\n");
  pollfd polled{.fd = second.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&polled, 1, 250), 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(second.ReadToEnd(), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(runner.Stop(), kIdleCpu * 2);
}

}  // namespace
}  // namespace portcullis::server
