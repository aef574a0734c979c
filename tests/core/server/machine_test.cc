#include "core/server/machine.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdlib>
#include <string>

#include "core/config/open_files.h"

namespace portcullis::server {
namespace {

TEST(Machine, WhatIsMissingIsNamedWithCauseAndRemedy) {
  io::ProbeReport report;
  report.checks = {
      {.name = "io_uring", .ok = true, .detail = "available"},
      {.name = "multishot accept", .ok = false, .detail = "wrong", .remedy = "Run on another"},
      {.name = "listen backlog", .ok = false, .required = false, .detail = "9", .remedy = "x"}};
  const absl::Status status = StatusOf(report);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "this machine cannot serve:\nmultishot accept: wrong. Run on another");
}

TEST(Machine, AdviceStopsNobody) {
  io::ProbeReport report;
  report.checks = {{.name = "open files", .ok = false, .required = false, .detail = "few"}};
  EXPECT_TRUE(StatusOf(report).ok());
}

TEST(Machine, TheCheckSaysWhatTheProbeSays) { EXPECT_EQ(CheckMachine().ok(), io::Probe().ok()); }

TEST(Machine, OpenFilesAreRaisedForTheConnectionsConfigured) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{.rlim_cur = 128, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  config::Config config;
  config.limits.max_connections = 100;
  RaiseOpenFiles(config, 1);
  rlimit raised{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &raised), 0);
  EXPECT_EQ(raised.rlim_cur, config::OpenFilesNeeded(config, 1));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

// The sanitizers have heaps of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Machine, ABigBufferIsNotTakenFromTheHeapBecauseABiggerOneWasFreed) {
  constexpr size_t kBigger = 8 << 20;
  constexpr size_t kBig = 2 << 20;
  KeepBigBuffersOffTheHeap();
  void* volatile bigger = std::malloc(kBigger);
  std::free(bigger);
  const size_t before = mallinfo2().hblkhd;
  void* volatile big = std::malloc(kBig);
  EXPECT_GE(mallinfo2().hblkhd - before, kBig);
  std::free(big);
  EXPECT_EQ(mallinfo2().hblkhd, before);
}
#endif

}  // namespace
}  // namespace portcullis::server
