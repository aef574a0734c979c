#include "core/server/machine.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

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

}  // namespace
}  // namespace portcullis::server
