#include "core/config/open_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::config {
namespace {

using ::testing::HasSubstr;

TEST(OpenFiles, AConnectionTakesTwoAndAWorkerAFew) {
  Config config;
  config.limits.max_connections = 1000;
  EXPECT_EQ(OpenFilesNeeded(config, 1), 2000U + 64 + 4);
  EXPECT_EQ(OpenFilesNeeded(config, 8), 2000U + 64 + 32);
  config.listeners.resize(3);
  EXPECT_EQ(OpenFilesNeeded(config, 8), 2000U + 64 + 32 + 48);
}

TEST(OpenFiles, ConnectionsKeptForBackendsCountUpToOneAClient) {
  Config config;
  config.limits.max_connections = 1000;
  const uint64_t bare = OpenFilesNeeded(config, 2);
  config.backends.resize(1);
  config.backends[0].targets.resize(3);
  config.backends[0].max_idle_per_target = 10;
  EXPECT_EQ(OpenFilesNeeded(config, 2), bare + 60);
  config.backends[0].max_idle_per_target = 1'000'000;
  EXPECT_EQ(OpenFilesNeeded(config, 2), bare + 1000);
}

TEST(OpenFiles, QuestionsToRespondersCountWhereTheyAreAsked) {
  Config config;
  config.trusts.resize(2);
  const uint64_t bare = OpenFilesNeeded(config, 1);
  config.trusts[1].ocsp.mode = tls::OcspMode::kSoft;
  EXPECT_EQ(OpenFilesNeeded(config, 1), bare + 1024);
}

TEST(OpenFiles, TheRemedyNamesALimitThatIsEnoughAndConnectionsThatFit) {
  Config config;
  const uint64_t needed = OpenFilesNeeded(config, 1);
  EXPECT_EQ(OpenFilesRemedy(config, 1, needed), "");
  EXPECT_EQ(OpenFilesRemedy(config, 1, UINT64_MAX), "");
  EXPECT_THAT(OpenFilesRemedy(config, 1, needed - 1), HasSubstr("LimitNOFILE=32836"));
  EXPECT_THAT(OpenFilesRemedy(config, 1, needed - 1), HasSubstr("max_connections: 16383"));
  EXPECT_THAT(OpenFilesRemedy(config, 1, 10), HasSubstr("max_connections: 0"));
}

}  // namespace
}  // namespace portcullis::config
