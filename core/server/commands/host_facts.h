// HostFacts: what this machine allows a server, read once from the kernel. For `portcullis doctor`.
//
// Reading and judging are apart, so that the judging can be tested with facts of any machine.
// Set-up code; blocks on /proc and /sys only. What cannot be read stays empty: a container may hide
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/probe.h"

namespace portcullis::server {

struct HostFacts {
  std::string kernel_release;    // "6.1.0-18-amd64"
  uint64_t open_files_soft = 0;  // RLIMIT_NOFILE; UINT64_MAX: unlimited
  uint64_t open_files_hard = 0;
  int cpus_online = 0;
  int cpus_allowed = 0;             // by affinity (taskset, cpuset)
  std::optional<double> cpu_quota;  // cores' worth of time by the control group; empty: no quota
  uint64_t memory_bytes = 0;        // of the machine
  std::optional<uint64_t> memory_limit_bytes;  // by the control group; empty: none
  bool entropy_ready = false;                  // getrandom does not block
};

// ReadHostFacts looks for control groups (version 2) under `cgroup_root`, in the group that the
// file `self_cgroup` names and those above it; the tightest limit counts.
HostFacts ReadHostFacts(const std::string& cgroup_root = "/sys/fs/cgroup",
                        const std::string& self_cgroup = "/proc/self/cgroup");

// JudgeHost turns facts into checks, for a server of at most `max_connections` connections and a
// worker for each processor. None of them is required to pass.
std::vector<io::ProbeCheck> JudgeHost(const HostFacts& facts, uint32_t max_connections);

}  // namespace portcullis::server
