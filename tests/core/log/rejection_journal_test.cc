#include "core/log/rejection_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "core/log/connection_log.h"
#include "core/log/record_line.h"

namespace portcullis::log {
namespace {

using nlohmann::json;

ConnectionRecord Refusal(std::string_view reason, std::string_view subject) {
  ConnectionRecord record;
  record.time_ns = 1'700'000'000'000'000'000;
  record.event = Event::kRefused;
  record.reason = reason;
  record.client_subject = subject;
  return record;
}

std::string Line(const ConnectionRecord& record) {
  std::array<char, kMaxLineBytes> line;
  return {line.data(), RenderRecord(record, line)};
}

TEST(RejectionJournal, KeepsTheLastOfEachReasonNewestFirst) {
  RejectionJournal journal(2);
  for (const char* subject : {"CN=a", "CN=b", "CN=c"}) {
    journal.Add(Line(Refusal("expired", subject)));
  }
  journal.Add(Line(Refusal("revoked", "CN=d")));
  const json parsed = json::parse(journal.Json());
  EXPECT_EQ(parsed["kept_per_reason"], 2);
  ASSERT_EQ(parsed["rejections"]["expired"].size(), 2U);
  EXPECT_EQ(parsed["rejections"]["expired"][0]["client_subject"], "CN=c");
  EXPECT_EQ(parsed["rejections"]["expired"][1]["client_subject"], "CN=b");
  EXPECT_EQ(parsed["rejections"]["revoked"][0]["client_subject"], "CN=d");
}

TEST(RejectionJournal, ServedConnectionsAreNoRefusals) {
  RejectionJournal journal(2);
  ConnectionRecord record;
  journal.Add(Line(record));
  EXPECT_FALSE(RejectionJournal::IsRefusal(Line(record)));
  EXPECT_TRUE(RejectionJournal::IsRefusal(Line(Refusal("expired", ""))));
  EXPECT_TRUE(json::parse(journal.Json())["rejections"].empty());
}

TEST(RejectionJournal, NothingAClientSaysMakesAReason) {
  RejectionJournal journal(4);
  ConnectionRecord record = Refusal("unknown_ca", "CN=x\",\"reason\":\"expired\",\"y\":\"");
  record.sni = ",\"event\":\"refused\",\"reason\":\"revoked\"";
  journal.Add(Line(record));
  record.event = Event::kConnection;
  journal.Add(Line(record));
  const json rejections = json::parse(journal.Json())["rejections"];
  EXPECT_EQ(rejections.size(), 1U);
  EXPECT_EQ(rejections["unknown_ca"].size(), 1U);
}

TEST(RejectionJournal, NoneAreKeptWhereNoneAreWanted) {
  RejectionJournal journal(0);
  journal.Add(Line(Refusal("expired", "CN=a")));
  EXPECT_TRUE(json::parse(journal.Json())["rejections"].empty());
}

TEST(RejectionJournal, TheLogFillsItAcrossTheRingsEndAlsoWithoutASink) {
  ConnectionLogOptions options;
  options.ring_bytes = 16 * 1024;
  options.rejections_kept = 1000;
  auto log = ConnectionLog::Start("off", 1, options);
  ASSERT_TRUE(log.ok()) << log.status();
  constexpr size_t kLines = 300;  // several times round the ring
  for (size_t i = 0; i < kLines; ++i) {
    const std::string subject = "CN=" + std::to_string(i);
    // A full ring drops; the writer makes room within its interval.
    while (!(*log)->ring(0).Write(Refusal("expired", subject))) std::this_thread::yield();
  }
  (*log)->Stop();
  const json lines = json::parse((*log)->rejections().Json())["rejections"]["expired"];
  ASSERT_EQ(lines.size(), kLines);
  for (size_t i = 0; i < kLines; ++i) {
    EXPECT_EQ(lines[i]["client_subject"], "CN=" + std::to_string(kLines - 1 - i));
  }
}

}  // namespace
}  // namespace portcullis::log
