// RingTest: a fixture of tests that run on every ring that WorkerRig offers; those on the kernel's
// are skipped where there is none.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "io/uring_ring.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {

class RingTest : public ::testing::TestWithParam<RingKind> {
 protected:
  void SetUp() override {
    if (GetParam() != RingKind::kKernel) return;
    const auto ring = io::UringRing::Create({});
    ASSERT_TRUE(ring.ok()) << ring.status();
  }
};

inline auto AllRings() {
  return ::testing::Values(RingKind::kKernel, RingKind::kScript, RingKind::kScriptWithFaults);
}

inline std::string RingName(const ::testing::TestParamInfo<RingKind>& kind) {
  if (kind.param == RingKind::kKernel) return "Kernel";
  return kind.param == RingKind::kScript ? "Script" : "ScriptWithFaults";
}

}  // namespace portcullis::worker
