#include "core/server/commands/subprocess.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

constexpr auto kLong = std::chrono::seconds(20);

ProcessResult Shell(const std::string& script,
                    const std::vector<std::pair<std::string, std::string>>& environment = {}) {
  const absl::StatusOr<ProcessResult> ran = RunProcess({"sh", "-c", script}, environment, kLong);
  EXPECT_TRUE(ran.ok()) << ran.status();
  return ran.ok() ? *ran : ProcessResult();
}

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

TEST(RunProcess, CapturesBothStreamsAndTheExitCode) {
  const ProcessResult result = Shell("echo out; echo err >&2; exit 7");
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_EQ(result.exit_code, 7);
}

TEST(RunProcess, ReadsMoreThanAPipeHolds) {
  const ProcessResult result = Shell("head -c 1000000 /dev/zero; head -c 300000 /dev/zero >&2");
  EXPECT_EQ(result.out.size(), 1000000u);
  EXPECT_EQ(result.err.size(), 300000u);
}

TEST(RunProcess, KeepsABoundedAmount) {
  const ProcessResult result = Shell("head -c 20000000 /dev/zero");
  EXPECT_EQ(result.out.size(), size_t{16} << 20);
  EXPECT_EQ(result.exit_code, 0);
}

TEST(RunProcess, GivesNoInput) { EXPECT_EQ(Shell("cat").out, ""); }

TEST(RunProcess, ReportsSignalsAsShellsDo) {
  EXPECT_EQ(Shell("kill -TERM $$").exit_code, 128 + SIGTERM);
}

TEST(RunProcess, ChangesTheEnvironmentOfTheChildOnly) {
  setenv("PORTCULLIS_TEST_KEPT", "kept", 1);
  setenv("PORTCULLIS_TEST_GONE", "x", 1);
  const ProcessResult result =
      Shell("echo $PORTCULLIS_TEST_KEPT ${PORTCULLIS_TEST_GONE-gone} $PORTCULLIS_TEST_NEW",
            {{"PORTCULLIS_TEST_GONE", ""}, {"PORTCULLIS_TEST_NEW", "new"}});
  EXPECT_EQ(result.out, "kept gone new\n");
  EXPECT_STREQ(getenv("PORTCULLIS_TEST_GONE"), "x");
  EXPECT_EQ(getenv("PORTCULLIS_TEST_NEW"), nullptr);
}

TEST(RunProcess, UnblocksSignalsForTheChild) {
  sigset_t term;
  sigset_t before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  EXPECT_EQ(Shell("kill -TERM $$; echo survived").exit_code, 128 + SIGTERM);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(RunProcess, KillsWhatRunsTooLong) {
  const absl::StatusOr<ProcessResult> ran =
      RunProcess({"tail", "-f", "/dev/null"}, {}, std::chrono::milliseconds(50));
  EXPECT_TRUE(absl::IsDeadlineExceeded(ran.status())) << ran.status();
}

TEST(RunProcess, TellsThatThereIsNoSuchProgram) {
  const absl::StatusOr<ProcessResult> ran = RunProcess({"no-such-program"}, {}, kLong);
  EXPECT_TRUE(absl::IsNotFound(ran.status())) << ran.status();
  EXPECT_EQ(std::string(ran.status().message()), "no-such-program is not installed");
}

TEST(RunProcess, LeavesNoDescriptorBehind) {
  const size_t before = OpenDescriptors();
  Shell("true");
  static_cast<void>(RunProcess({"no-such-program"}, {}, kLong));
  static_cast<void>(RunProcess({"tail", "-f", "/dev/null"}, {}, std::chrono::milliseconds(1)));
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace portcullis::server
