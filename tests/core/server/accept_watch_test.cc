#include "core/server/accept_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AcceptWatchTest : public ::testing::Test {
 protected:
  void Fail(size_t worker, int error, int times = 1) {
    metrics::ListenerShard& counts = shards_.shard(worker).listener(edge_);
    counts.last_accept_error.Set(error);
    counts.accept_failures.Add(static_cast<uint64_t>(times));
  }
  // What is said after so many seconds; "" for nothing.
  std::string After(int seconds) {
    now_ += std::chrono::seconds(seconds);
    return watch_.Look(shards_, now_).value_or("");
  }

  metrics::ShardSet shards_{2, {{.name = "none", .judges_certificate = false}}};
  size_t edge_ = *shards_.AddListener("edge");
  AcceptWatch watch_;
  std::chrono::steady_clock::time_point now_{};
};

TEST_F(AcceptWatchTest, SaysNothingWhileAllGoesWell) {
  EXPECT_EQ(After(0), "");
  EXPECT_EQ(After(1000), "");
}

TEST_F(AcceptWatchTest, FailuresOfAllWorkersAreToldAtOnceWithTheirCause) {
  Fail(0, EMFILE, 3);
  Fail(1, EMFILE, 4);
  const std::string said = After(0);
  EXPECT_THAT(said, HasSubstr("7 times"));
  EXPECT_THAT(said, HasSubstr("Too many open files"));
  EXPECT_THAT(said, HasSubstr("LimitNOFILE="));
}

TEST_F(AcceptWatchTest, TheyAreToldOnceInAWhileAndNeverTwice) {
  Fail(0, EMFILE);
  EXPECT_NE(After(0), "");
  Fail(0, EMFILE, 5);
  EXPECT_EQ(After(1), "");
  EXPECT_EQ(After(58), "");
  EXPECT_THAT(After(1), HasSubstr("5 times"));
  EXPECT_EQ(After(1000), "");
}

TEST_F(AcceptWatchTest, OtherCausesGetNoRemedyThatIsNotTheirs) {
  Fail(0, ENOMEM);
  EXPECT_THAT(After(0), Not(HasSubstr("LimitNOFILE")));
  Fail(0, ENFILE);
  EXPECT_THAT(After(60), HasSubstr("fs.file-max"));
}

}  // namespace
}  // namespace portcullis::server
