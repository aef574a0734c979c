#include "core/server/commands/host_facts.h"

#include <sched.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

#include "core/config/open_files.h"
#include "core/server/commands/text.h"
#include "io/open_files.h"

namespace portcullis::server {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;
// Control groups say "no limit" in several ways; no machine has this much.
constexpr uint64_t kNoLimit = uint64_t{1} << 60;
constexpr uint64_t kBytesPerConnection =
    64 * 1024;  // with the TLS library's own share, on a full connection
constexpr double kMemoryShare = 0.5;

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The control group (version 2: the line that begins with "0::") of this process, "/a/b" or "/".
std::string OwnGroup(const std::string& self_cgroup) {
  std::ifstream file(self_cgroup);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return "/";
}

// Takes the limits of one group into `facts`, where they are tighter.
void ReadGroup(const std::string& folder, HostFacts& facts) {
  std::istringstream cpu(FirstLine(Cat(folder, "/cpu.max")));  // "QUOTA PERIOD", "max PERIOD"
  double quota = 0;
  double period = 0;
  if (cpu >> quota >> period && quota > 0 && period > 0) {
    facts.cpu_quota = std::min(facts.cpu_quota.value_or(quota / period), quota / period);
  }
  uint64_t bytes = 0;
  if (absl::SimpleAtoi(FirstLine(Cat(folder, "/memory.max")), &bytes) && bytes < kNoLimit) {
    facts.memory_limit_bytes = std::min(facts.memory_limit_bytes.value_or(bytes), bytes);
  }
}

void ReadGroups(const std::string& root, std::string group, HostFacts& facts) {
  while (true) {
    ReadGroup(Cat(root, group), facts);
    const size_t slash = group.rfind('/');
    if (slash == group.npos || group == "/" || group.empty()) break;
    group.resize(slash);
  }
  ReadGroup(root, facts);
}

std::string Count(uint64_t value) {
  return value == UINT64_MAX ? std::string("unlimited") : absl::StrFormat("%d", value);
}

std::string MiB(uint64_t bytes) { return Cat(bytes / kMiB, " MiB"); }

io::ProbeCheck Check(std::string name, std::string detail, std::string remedy = "") {
  io::ProbeCheck check;
  check.name = std::move(name);
  check.ok = remedy.empty();
  check.required = false;
  check.detail = std::move(detail);
  check.remedy = std::move(remedy);
  return check;
}

io::ProbeCheck JudgeOpenFiles(const HostFacts& facts, uint32_t max_connections) {
  config::Config config;
  config.limits.max_connections = max_connections;
  const auto workers = static_cast<uint32_t>(std::max(1, facts.cpus_allowed));
  const uint64_t needed = config::OpenFilesNeeded(config, workers);
  std::string detail = Cat("limit ", Count(facts.open_files_soft));
  // What is short in force only is no trouble: whoever serves raises it.
  if (facts.open_files_soft < needed) {
    Append(&detail, ", which serving raises to ", std::min(needed, facts.open_files_hard),
           " (hard limit ", Count(facts.open_files_hard), ")");
  }
  Append(&detail, "; ", max_connections, " connections need ", needed);
  return Check("open files", std::move(detail),
               config::OpenFilesRemedy(config, workers, facts.open_files_hard));
}

io::ProbeCheck JudgeCpus(const HostFacts& facts) {
  std::string detail = Cat(facts.cpus_allowed, " of ", facts.cpus_online, " usable");
  if (facts.cpu_quota) Append(&detail, ", quota ", *facts.cpu_quota, " cores");
  // More workers than the quota pays for are stopped in the middle of handshakes, all at once.
  if (facts.cpu_quota && *facts.cpu_quota < facts.cpus_allowed) {
    const int workers = std::max(1, static_cast<int>(*facts.cpu_quota));
    return Check("cpus", std::move(detail),
                 Cat("set workers: ", workers, ", or raise the control group's CPU quota to ",
                     facts.cpus_allowed));
  }
  return Check("cpus", std::move(detail));
}

io::ProbeCheck JudgeMemory(const HostFacts& facts, uint32_t max_connections) {
  const uint64_t usable =
      std::min(facts.memory_bytes, facts.memory_limit_bytes.value_or(facts.memory_bytes));
  const uint64_t needed = uint64_t{max_connections} * kBytesPerConnection;
  std::string detail =
      facts.memory_limit_bytes ? Cat(MiB(usable), " by the control group") : MiB(usable);
  Append(&detail, "; ", max_connections, " connections may take ", MiB(needed));
  if (static_cast<double>(needed) <= static_cast<double>(usable) * kMemoryShare) {
    return Check("memory", std::move(detail));
  }
  const auto fits =
      static_cast<uint64_t>(static_cast<double>(usable) * kMemoryShare) / kBytesPerConnection;
  return Check("memory", std::move(detail),
               Cat("set limits.max_connections: ", fits, ", or give it more memory"));
}

}  // namespace

HostFacts ReadHostFacts(const std::string& cgroup_root, const std::string& self_cgroup) {
  HostFacts facts;
  utsname names{};
  if (uname(&names) == 0) facts.kernel_release = names.release;
  const io::OpenFileLimit files = io::ReadOpenFileLimit();
  facts.open_files_soft = files.soft;
  facts.open_files_hard = files.hard;
  facts.cpus_online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  facts.cpus_allowed = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed)
                                                                            : facts.cpus_online;
  facts.memory_bytes =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  ReadGroups(cgroup_root, OwnGroup(self_cgroup), facts);
  uint8_t byte = 0;
  facts.entropy_ready = getrandom(&byte, sizeof(byte), GRND_NONBLOCK) == 1;
  return facts;
}

std::vector<io::ProbeCheck> JudgeHost(const HostFacts& facts, uint32_t max_connections) {
  std::vector<io::ProbeCheck> checks;
  checks.push_back(Check("kernel", Cat("Linux ", facts.kernel_release)));
  checks.push_back(JudgeCpus(facts));
  checks.push_back(JudgeMemory(facts, max_connections));
  checks.push_back(JudgeOpenFiles(facts, max_connections));
  checks.push_back(
      facts.entropy_ready
          ? Check("entropy", "random numbers are ready")
          : Check(
                "entropy", "the kernel has no random numbers yet",
                "wait, or give the virtual machine a virtio-rng device: TLS cannot start without"));
  return checks;
}

}  // namespace portcullis::server
