#include "core/server/commands/host_facts.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/server/commands/scratch_folder.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kGiB = uint64_t{1} << 30;

HostFacts GoodFacts() {
  HostFacts facts;
  facts.kernel_release = "6.1.0";
  facts.open_files_soft = 1024;
  facts.open_files_hard = 1048576;
  facts.cpus_online = 8;
  facts.cpus_allowed = 4;
  facts.memory_bytes = 16 * kGiB;
  facts.entropy_ready = true;
  return facts;
}

std::map<std::string, io::ProbeCheck> Judged(const HostFacts& facts,
                                             uint32_t max_connections = 16384) {
  std::map<std::string, io::ProbeCheck> checks;
  for (const io::ProbeCheck& check : JudgeHost(facts, max_connections)) {
    EXPECT_FALSE(check.required) << check.name;
    EXPECT_EQ(check.ok, check.remedy.empty()) << check.name;
    checks[check.name] = check;
  }
  return checks;
}

TEST(JudgeHost, AGoodMachineNeedsNothing) {
  const auto checks = Judged(GoodFacts());
  EXPECT_EQ(checks.size(), 5u);
  for (const auto& [name, check] : checks) EXPECT_TRUE(check.ok) << name << ": " << check.remedy;
  EXPECT_EQ(checks.at("kernel").detail, "Linux 6.1.0");
  EXPECT_EQ(checks.at("cpus").detail, "4 of 8 usable");
}

TEST(JudgeHost, OpenFilesMustSufficeForTwoAConnection) {
  HostFacts facts = GoodFacts();
  facts.open_files_hard = 2 * 16384 + 64 + 4 * 4;  // and a few for each of four workers
  EXPECT_TRUE(Judged(facts).at("open files").ok);
  facts.open_files_hard -= 1;
  const io::ProbeCheck check = Judged(facts).at("open files");
  EXPECT_FALSE(check.ok);
  EXPECT_THAT(check.remedy, HasSubstr("LimitNOFILE=32848"));
  EXPECT_THAT(check.remedy, HasSubstr("max_connections: 16383"));
  facts.open_files_hard = 10;
  EXPECT_THAT(Judged(facts).at("open files").remedy, HasSubstr("max_connections: 0"));
  facts.open_files_hard = UINT64_MAX;
  EXPECT_THAT(Judged(facts).at("open files").detail, HasSubstr("unlimited"));
}

TEST(JudgeHost, OpenFilesThatServingRaisesItselfAreNoFault) {
  HostFacts facts = GoodFacts();
  EXPECT_THAT(Judged(facts).at("open files").detail,
              HasSubstr("limit 1024, which serving raises to 32848"));
  facts.open_files_soft = 32848;
  EXPECT_EQ(Judged(facts).at("open files").detail, "limit 32848; 16384 connections need 32848");
}

TEST(JudgeHost, WorkersShouldNotExceedTheQuota) {
  HostFacts facts = GoodFacts();
  facts.cpu_quota = 2.5;
  EXPECT_EQ(Judged(facts).at("cpus").detail, "4 of 8 usable, quota 2.5 cores");
  EXPECT_THAT(Judged(facts).at("cpus").remedy, HasSubstr("workers: 2"));
  facts.cpu_quota = 0.5;
  EXPECT_THAT(Judged(facts).at("cpus").remedy, HasSubstr("workers: 1"));
  facts.cpu_quota = 4;
  EXPECT_TRUE(Judged(facts).at("cpus").ok);
}

TEST(JudgeHost, MemoryIsWhatTheControlGroupLeaves) {
  HostFacts facts = GoodFacts();
  facts.memory_limit_bytes = kGiB;
  EXPECT_THAT(Judged(facts).at("memory").remedy, HasSubstr("max_connections: 8192"));
  EXPECT_TRUE(Judged(facts, 8192).at("memory").ok);
  facts.memory_limit_bytes = 64 * kGiB;
  EXPECT_TRUE(Judged(facts).at("memory").ok);
  EXPECT_THAT(Judged(facts).at("memory").detail, HasSubstr("16384 MiB"));
}

TEST(JudgeHost, TellsThatEntropyIsMissing) {
  HostFacts facts = GoodFacts();
  facts.entropy_ready = false;
  EXPECT_FALSE(Judged(facts).at("entropy").ok);
}

TEST(ReadHostFacts, FindsSomethingOnThisMachine) {
  const HostFacts facts = ReadHostFacts();
  EXPECT_FALSE(facts.kernel_release.empty());
  EXPECT_GE(facts.cpus_online, 1);
  EXPECT_GE(facts.cpus_allowed, 1);
  EXPECT_GT(facts.open_files_hard, 0u);
  EXPECT_GE(facts.open_files_hard, facts.open_files_soft);
  EXPECT_GT(facts.memory_bytes, uint64_t{1} << 20);
  EXPECT_TRUE(facts.entropy_ready);
}

class ControlGroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create("portcullis-test-");
    ASSERT_TRUE(folder.ok()) << folder.status();
    folder_.emplace(*std::move(folder));
  }

  HostFacts Read(const std::string& own) {
    EXPECT_TRUE(folder_->Write("own", own).ok());
    return ReadHostFacts(folder_->path(), folder_->PathOf("own"));
  }

  std::optional<ScratchFolder> folder_;
};

TEST_F(ControlGroupTest, TakesTheTightestLimitUpToTheRoot) {
  ASSERT_TRUE(folder_->Write("cpu.max", "150000 100000\n").ok());
  ASSERT_TRUE(folder_->Write("memory.max", "max\n").ok());
  ASSERT_TRUE(folder_->Write("a/cpu.max", "max 100000\n").ok());
  ASSERT_TRUE(folder_->Write("a/memory.max", "1073741824\n").ok());
  ASSERT_TRUE(folder_->Write("a/memory.high", "1\n").ok());
  const HostFacts facts = Read("1:name=x:/other\n0::/a/b\n");
  EXPECT_EQ(facts.cpu_quota, 1.5);
  EXPECT_EQ(facts.memory_limit_bytes, kGiB);
}

TEST_F(ControlGroupTest, NoGroupOrNoLimitIsNone) {
  EXPECT_FALSE(Read("").cpu_quota.has_value());
  ASSERT_TRUE(folder_->Write("cpu.max", "max 100000\n").ok());
  ASSERT_TRUE(folder_->Write("memory.max", "9223372036854771712\n").ok());
  const HostFacts facts = ReadHostFacts(folder_->path(), folder_->PathOf("none"));
  EXPECT_FALSE(facts.cpu_quota.has_value());
  EXPECT_FALSE(facts.memory_limit_bytes.has_value());
}

}  // namespace
}  // namespace portcullis::server
