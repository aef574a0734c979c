#include "core/server/commands/demo_command.h"

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/server/commands/scratch_folder.h"
#include "core/server/commands/subprocess.h"
#include "io/listener.h"
#include "tests/core/server/commands/child_process.h"
#include "tests/core/server/commands/fake_terminator.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The demo in a process of its own, with a terminator that has faults to order and a temporary
// folder to look into.
class DemoCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create("portcullis-test-");
    ASSERT_TRUE(folder.ok()) << folder.status();
    folder_.emplace(*std::move(folder));
  }

  std::unique_ptr<ChildProcess> Run(std::vector<std::string> arguments,
                                    Fault fault = Fault::kNone) {
    arguments.insert(arguments.begin(), {PORTCULLIS_COMMANDS_TOOL, "demo"});
    return std::make_unique<ChildProcess>(
        arguments, std::vector<std::pair<std::string, std::string>>{
                       {"TMPDIR", folder_->path()},
                       {"PORTCULLIS_FAULT", absl::StrCat(static_cast<int>(fault))}});
  }

  [[nodiscard]] size_t NumLeft() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_->path()),
                                             std::filesystem::directory_iterator()));
  }

  std::optional<ScratchFolder> folder_;
};

TEST_F(DemoCommandTest, CheckPassesOnARightTerminatorAndLeavesNothing) {
  const auto demo = Run({"--check"});
  EXPECT_EQ(demo->Wait(), 0) << demo->output();
  EXPECT_EQ(demo->output(),
            "✓ without a certificate: HTTP/1.1 400 Bad Request, page '400 No required SSL "
            "certificate was sent'\n"
            "✓ with a certificate: HTTP/1.1 200 OK, page 'Portcullis demo backend'\n"
            "✓ with another authority's certificate: HTTP/1.1 400 Bad Request, page '400 The SSL "
            "certificate error'\n"
            "✓ metrics moved: handshakes 3 accepted 1 rejections 2 no_cert 1 unknown_ca 1\n"
            "demo: every answer is right\n");
  EXPECT_EQ(NumLeft(), 0u);
}

TEST_F(DemoCommandTest, CheckFindsEachFault) {
  const std::pair<Fault, const char*> faults[] = {
      {Fault::kAdmitsStrangers, "✗ with another authority's certificate: HTTP/1.1 200 OK"},
      {Fault::kAdmitsAnyone, "✗ without a certificate: HTTP/1.1 200 OK"},
      {Fault::kHidesIdentity, "✗ with a certificate: HTTP/1.1 200 OK"},
      {Fault::kCountsTwice, "✗ metrics moved: handshakes 6 (expected 3)"},
      {Fault::kNoMetrics, "✗ metrics moved: handshakes 0 (expected 3)"},
  };
  for (const auto& [fault, line] : faults) {
    const auto demo = Run({"--check"}, fault);
    EXPECT_EQ(demo->Wait(), 1) << demo->output();
    EXPECT_THAT(demo->output(), HasSubstr(line));
    EXPECT_THAT(demo->output(), HasSubstr("demo: something is wrong\n"));
  }
  EXPECT_EQ(NumLeft(), 0u);
}

TEST_F(DemoCommandTest, ShowsCommandsThatWorkAndTheirAnswersUntilInterrupted) {
  const auto demo = Run({"--port", "0"});
  const std::string output = demo->ReadUntil("Ctrl-C ends the demo");
  EXPECT_THAT(output, HasSubstr("  HTTP/1.1 400 Bad Request\n"));
  EXPECT_THAT(output, HasSubstr("<title>400 No required SSL certificate was sent</title>"));
  EXPECT_THAT(output, HasSubstr("  HTTP/1.1 200 OK\n"));
  EXPECT_THAT(output, HasSubstr("  ssl-client-subject-dn: CN=Demo Client,O=Portcullis demo\n"));
  EXPECT_EQ(NumLeft(), 1u);

  // Every line that begins with "$ " is a command to copy.
  int num_commands = 0;
  for (size_t at = output.find("\n$ "); at != output.npos; at = output.find("\n$ ", at + 1)) {
    const std::string command = output.substr(at + 3, output.find('\n', at + 1) - at - 3);
    const absl::StatusOr<ProcessResult> ran =
        RunProcess({"sh", "-c", command}, {}, std::chrono::seconds(10));
    ASSERT_TRUE(ran.ok()) << ran.status();
    EXPECT_EQ(ran->exit_code, 0) << command << "\n" << ran->err;
    EXPECT_THAT(ran->out, HasSubstr(num_commands < 3 ? "HTTP/1.1 " : "portcullis_handshake"));
    ++num_commands;
  }
  EXPECT_EQ(num_commands, 4);

  demo->Signal(SIGINT);
  EXPECT_EQ(demo->Wait(), 0);
  EXPECT_EQ(NumLeft(), 0u);
}

TEST_F(DemoCommandTest, EndsOnTermTooAndASecondSignalLeavesNoMess) {
  const auto demo = Run({"--port=0"});
  demo->ReadUntil("Ctrl-C ends the demo");
  demo->Signal(SIGTERM);
  demo->Signal(SIGINT);
  EXPECT_EQ(demo->Wait(), 0);
  EXPECT_EQ(NumLeft(), 0u);
}

TEST_F(DemoCommandTest, ShowsTheCommandsWhereThereIsNoCurl) {
  // A PATH without curl; the tool itself is named by its whole path.
  const std::string before = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto demo = Run({"--port=0"});
  setenv("PATH", before.c_str(), 1);
  const std::string output = demo->ReadUntil("Ctrl-C ends the demo");
  EXPECT_THAT(output, HasSubstr("$ curl -i --cacert "));
  EXPECT_THAT(output, HasSubstr("  curl is not installed\n"));
  EXPECT_THAT(output, HasSubstr("--cert"));
}

TEST_F(DemoCommandTest, MovesOnWhenADefaultPortIsTaken) {
  // Where another process holds a default port already, that does as well.
  std::vector<int> held;
  for (const char* address : {"127.0.0.1:8443", "127.0.0.1:9180"}) {
    const absl::StatusOr<int> fd =
        io::OpenListener(*io::SocketAddress::Parse(address), {.reuse_port = false});
    if (fd.ok()) held.push_back(*fd);
  }
  const auto demo = Run({});
  const std::string output = demo->ReadUntil("Ctrl-C ends the demo");
  EXPECT_THAT(output, HasSubstr("Port 8443 is taken; using "));
  EXPECT_THAT(output, HasSubstr("Port 9180 is taken; using "));
  EXPECT_THAT(output, HasSubstr("  HTTP/1.1 200 OK\n"));
  for (const int fd : held) close(fd);
}

TEST_F(DemoCommandTest, RefusesAPortAskedForThatIsTaken) {
  const absl::StatusOr<int> fd =
      io::OpenListener(*io::SocketAddress::Parse("127.0.0.1:0"), {.reuse_port = false});
  ASSERT_TRUE(fd.ok()) << fd.status();
  const std::string port = absl::StrCat(io::BoundPort(*fd));
  const auto demo = Run({"--port", port});
  EXPECT_EQ(demo->Wait(), 1);
  EXPECT_EQ(demo->output(), absl::StrCat("portcullis demo: port ", port,
                                         " is taken; without --port a free one is found\n"));
  EXPECT_EQ(NumLeft(), 0u);
  close(*fd);
}

TEST_F(DemoCommandTest, SaysWhyTheTerminatorDidNotStart) {
  const DemoHooks hooks{.start = [](const std::string&) {
    return absl::StatusOr<std::unique_ptr<RunningServer>>(absl::UnavailableError("no rings here"));
  }};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(DemoMain({.check = true, .port = std::nullopt}, hooks), 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "portcullis demo: no rings here\n");
}

}  // namespace
}  // namespace portcullis::server
