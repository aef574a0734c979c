#include "core/server/commands/backend_command.h"

#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/server/commands/child_process.h"
#include "tests/core/server/commands/test_client.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The address which `backend` says it listens on.
std::string AddressOf(ChildProcess& backend) {
  constexpr std::string_view kMark = "listening on ";
  const std::string output = backend.ReadUntil("\n");
  EXPECT_THAT(output, StartsWith(std::string(kMark)));
  return output.substr(kMark.size(), output.find('\n') - kMark.size());
}

TEST(BackendCommand, ServesHttpUntilToldToStop) {
  for (const int signal : {SIGTERM, SIGINT}) {
    ChildProcess backend({PORTCULLIS_COMMANDS_TOOL, "backend", "--listen", "127.0.0.1:0"});
    TestClient client(AddressOf(backend));
    ASSERT_TRUE(client.connected());
    client.Send("GET /status/418 HTTP/1.0\r\n\r\n");
    EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 418 "));
    backend.Signal(signal);
    EXPECT_EQ(backend.Wait(), 0);
  }
}

TEST(BackendCommand, EchoesWhenAskedTo) {
  ChildProcess backend(
      {PORTCULLIS_COMMANDS_TOOL, "backend", "--listen=127.0.0.1:0", "--mode=echo"});
  TestClient client(AddressOf(backend));
  client.Send("hello");
  EXPECT_EQ(client.ReadBytes(5), "hello");
  client.SendEnd();
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(BackendCommand, FailsWithTheCauseWhenItCannotListen) {
  ChildProcess backend({PORTCULLIS_COMMANDS_TOOL, "backend", "--listen", "nowhere"});
  EXPECT_EQ(backend.Wait(), 1);
  EXPECT_THAT(backend.output(), StartsWith("portcullis backend: "));
  EXPECT_THAT(backend.output(), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace portcullis::server
