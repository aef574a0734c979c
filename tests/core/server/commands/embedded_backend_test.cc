#include "core/server/commands/embedded_backend.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/server/commands/demo_site.h"
#include "core/server/commands/scratch_folder.h"
#include "tests/core/server/commands/test_client.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::unique_ptr<EmbeddedBackend> StartBackend(const EmbeddedBackendOptions& options) {
  absl::StatusOr<std::unique_ptr<EmbeddedBackend>> backend = EmbeddedBackend::Start(options);
  EXPECT_TRUE(backend.ok()) << backend.status();
  return backend.ok() ? *std::move(backend) : nullptr;
}

std::string ErrorOf(const std::string& listen) {
  const absl::StatusOr<std::unique_ptr<EmbeddedBackend>> backend =
      EmbeddedBackend::Start({.listen = listen});
  return backend.ok() ? "no error" : std::string(backend.status().message());
}

class UnixBackendTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create("portcullis-test-");
    ASSERT_TRUE(folder.ok()) << folder.status();
    folder_.emplace(*std::move(folder));
    path_ = folder_->PathOf("socket");
  }

  std::optional<ScratchFolder> folder_;
  std::string path_;
};

TEST(EmbeddedBackend, AnswersOnTheAddressItNames) {
  const auto backend = StartBackend({.listen = "127.0.0.1:0"});
  EXPECT_NE(backend->port(), 0);
  EXPECT_EQ(backend->address(), absl::StrCat("127.0.0.1:", backend->port()));
  TestClient client(backend->address());
  ASSERT_TRUE(client.connected());
  client.Send("GET /headers HTTP/1.0\r\nX-Test: yes\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("\"X-Test\""));
}

TEST(EmbeddedBackend, RefusesABusyPortAndNonsense) {
  const auto backend = StartBackend({});
  EXPECT_THAT(ErrorOf(backend->address()), HasSubstr(backend->address()));
  EXPECT_THAT(ErrorOf("nonsense"), HasSubstr("nonsense"));
}

TEST(EmbeddedBackend, StopCutsConnectionsAndFreesThePort) {
  const auto backend = StartBackend({});
  TestClient idle(backend->address());
  TestClient delayed(backend->address());
  delayed.Send("GET /delay/60000 HTTP/1.1\r\nHost: h\r\n\r\n");
  TestClient served(backend->address());
  served.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(served.ReadUntil("</html>"), StartsWith("HTTP/1.1 200"));
  backend->Stop();
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_EQ(delayed.ReadToEnd(), "");
  backend->Stop();
  TestClient late(backend->address());
  EXPECT_FALSE(late.connected());
  EXPECT_NE(StartBackend({.listen = backend->address()}), nullptr);
}

TEST(EmbeddedBackend, LeavesNoDescriptorBehind) {
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto before = count();
  {
    const auto backend = StartBackend({});
    TestClient client(backend->address());
    client.Send("GET / HTTP/1.0\r\n\r\n");
    client.ReadToEnd();
  }
  EXPECT_EQ(count(), before);
}

TEST(EmbeddedBackend, ServesManyAtOnce) {
  const auto backend = StartBackend({.num_threads = 2});
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(std::make_unique<TestClient>(backend->address()));
    ASSERT_TRUE(clients.back()->connected()) << i;
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    clients[i]->Send(absl::StrCat("GET /bytes/", i, " HTTP/1.0\r\n\r\n"));
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    const std::string answer = clients[i]->ReadToEnd();
    EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, i);
  }
}

TEST(EmbeddedBackend, EchoesOnSeveralThreads) {
  const auto backend = StartBackend({.mode = BackendMode::kEcho, .num_threads = 2});
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&backend, i] {
      TestClient client(backend->address());
      const std::string text(100000, static_cast<char>('a' + i));
      EXPECT_TRUE(client.Send(text));
      client.SendEnd();
      EXPECT_EQ(client.ReadToEnd(), text);
      EXPECT_FALSE(client.reset());
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(UnixBackendTest, ListensOnAPathAndRemovesIt) {
  {
    const auto backend = StartBackend({.listen = "unix:" + path_});
    EXPECT_EQ(backend->address(), "unix:" + path_);
    EXPECT_EQ(backend->port(), 0);
    TestClient client(backend->address());
    ASSERT_TRUE(client.connected());
    client.Send("GET /status/418 HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 418 "));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixBackendTest, ReplacesADeadSocketButNoLiveOne) {
  const io::SocketAddress address = *io::SocketAddress::Parse("unix:" + path_);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(fd, address.data(), address.length()), 0);
  close(fd);
  ASSERT_TRUE(std::filesystem::exists(path_));
  const auto backend = StartBackend({.listen = "unix:" + path_});
  ASSERT_NE(backend, nullptr);
  EXPECT_THAT(ErrorOf("unix:" + path_), HasSubstr("another process listens on unix:" + path_));
  EXPECT_TRUE(TestClient("unix:" + path_).connected());
}

TEST_F(UnixBackendTest, NeverRemovesWhatIsNoSocket) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(ErrorOf("unix:" + path_), HasSubstr("is no socket"));
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_THAT(ErrorOf("unix:/nonexistent/socket"), HasSubstr("unix:/nonexistent/socket"));
}

}  // namespace
}  // namespace portcullis::server
