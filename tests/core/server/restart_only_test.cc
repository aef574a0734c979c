#include "core/server/restart_only.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::Config Started() {
  config::Config config;
  config.listeners.resize(1);
  config.listeners[0].name = "main";
  config.listeners[0].address = "127.0.0.1:8443";
  config.log.connections = "/var/log/a";
  return config;
}

TEST(RestartOnly, WhatStaysTheSameIsNotNamed) {
  RestartOnly fields(Started(), 2);
  EXPECT_THAT(fields.Take(Started(), 2), IsEmpty());
}

TEST(RestartOnly, EachFieldThatDiffersIsNamedWithWhatStaysInForce) {
  RestartOnly fields(Started(), 2);
  config::Config config = Started();
  config.pin_workers = false;
  config.admin.address = "";
  config.log.connections = "stdout";
  config.log.rejections_kept = 1;
  config.limits.max_connections = 1 << 20;
  config.limits.verdict_cache = 7;
  config.listeners[0].backlog = 9;
  EXPECT_THAT(
      fields.Take(config, 3),
      ElementsAre(AllOf(HasSubstr("workers"), HasSubstr("stays 2, not 3")),
                  AllOf(HasSubstr("pin_workers"), HasSubstr("stays true, not false")),
                  AllOf(HasSubstr("admin.address"), HasSubstr("stays 127.0.0.1:9180, not off")),
                  AllOf(HasSubstr("log.connections"), HasSubstr("stays /var/log/a, not stdout")),
                  HasSubstr("log.rejections_kept"), HasSubstr("limits.max_connections"),
                  HasSubstr("limits.verdict_cache"), HasSubstr("backlog of listener 'main'")));
  EXPECT_THAT(fields.Take(Started(), 2), IsEmpty()) << "what is in force is what it was";
}

TEST(RestartOnly, FewerConnectionsAndAnotherLogFileTakeEffect) {
  RestartOnly fields(Started(), 2);
  config::Config config = Started();
  config.limits.max_connections = 10;
  config.log.connections = "/var/log/b";
  EXPECT_THAT(fields.Take(config, 2), IsEmpty());
  config.log.connections = "off";
  EXPECT_THAT(fields.Take(config, 2), ElementsAre(HasSubstr("stays /var/log/b, not off")));
}

TEST(RestartOnly, ASocketThatIsOpenedAnewHasTheBacklogItIsOpenedWith) {
  RestartOnly fields(Started(), 2);
  config::Config config = Started();
  config.listeners[0].address = "127.0.0.1:8444";
  config.listeners[0].backlog = 9;
  EXPECT_THAT(fields.Take(config, 2), IsEmpty());
  config.listeners[0].backlog = 10;
  EXPECT_THAT(fields.Take(config, 2), ElementsAre(HasSubstr("stays 9, not 10")));
}

}  // namespace
}  // namespace portcullis::server
