// The probe on this machine, and under a filter that takes io_uring away.
#include "io/probe.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>

#include "io/uring_ring.h"

namespace portcullis::io {
namespace {

const ProbeCheck* Find(const ProbeReport& report, std::string_view name) {
  const auto found = std::find_if(report.checks.begin(), report.checks.end(),
                                  [&](const ProbeCheck& check) { return check.name == name; });
  return found == report.checks.end() ? nullptr : &*found;
}

TEST(Probe, AgreesWithWhetherARingCanBeMade) {
  const ProbeReport report = Probe();
  EXPECT_EQ(report.ok(), UringRing::Create({}).ok());
  for (const ProbeCheck& check : report.checks) {
    EXPECT_FALSE(check.detail.empty()) << check.name;
    EXPECT_EQ(check.remedy.empty(), check.ok) << check.name;
  }
  EXPECT_NE(Find(report, "open files"), nullptr);
  EXPECT_NE(Find(report, "listen backlog"), nullptr);
  if (!report.ok()) return;
  for (const char* name : {"io_uring", "ring flags", "opcodes", "provided buffers",
                           "multishot accept", "multishot receive"}) {
    ASSERT_NE(Find(report, name), nullptr) << name;
    EXPECT_TRUE(Find(report, name)->ok) << name;
  }
}

TEST(Probe, AdviceThatIsNotRequiredDoesNotFailIt) {
  ProbeReport report;
  report.checks.push_back({.name = "a", .ok = true});
  report.checks.push_back({.name = "b", .ok = false, .required = false});
  EXPECT_TRUE(report.ok());
  report.checks.push_back({.name = "c", .ok = false});
  EXPECT_FALSE(report.ok());
}

// Refuses io_uring_setup with `error` for this process from here on.
bool ForbidIoUring(int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

// Runs in a child: exits 0 when the probe blames seccomp, otherwise with the number of what was
// wrong; 77: no filter can be set.
int ProbeUnderFilter(int error) {
  if (!ForbidIoUring(error)) return 77;
  const ProbeReport report = Probe();
  const ProbeCheck* check = Find(report, "io_uring");
  if (report.ok() || check == nullptr || check->ok) return 1;
  if (check->detail.find("seccomp") == std::string::npos) return 2;
  if (check->remedy.find("io_uring_setup") == std::string::npos) return 3;
  const auto ring = UringRing::Create({});
  if (ring.ok()) return 4;
  return std::string(ring.status().message()).find("seccomp") == std::string::npos ? 5 : 0;
}

TEST(Probe, BlamesASeccompFilterForWhatItForbids) {
  for (const int error : {EPERM, ENOSYS}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(ProbeUnderFilter(error));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << "errno " << error;
  }
}

}  // namespace
}  // namespace portcullis::io
