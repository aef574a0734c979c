#include "core/log/operator_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace portcullis::log {
namespace {

using testing::HasSubstr;
using testing::Not;

// What `write` puts on standard error.
template <typename Write>
std::string Captured(Write write) {
  testing::internal::CaptureStderr();
  write();
  Flush();
  return testing::internal::GetCapturedStderr();
}

TEST(OperatorLog, WritesALineWithTimeAndLevel) {
  log::SetUp(Level::kInfo);
  const std::string text = Captured([] { Warn("certificate expires soon"); });
  EXPECT_THAT(text, testing::MatchesRegex(
                        "[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+[.][0-9]+Z warning certificate "
                        "expires soon\n"));
}

TEST(OperatorLog, WritesFromTheLevelItIsSetTo) {
  log::SetUp(Level::kWarn);
  const std::string text = Captured([] {
    Debug("one");
    Info("two");
    Warn("three");
    Error("four");
  });
  EXPECT_THAT(text, Not(HasSubstr("one")));
  EXPECT_THAT(text, Not(HasSubstr("two")));
  EXPECT_THAT(text, HasSubstr("three"));
  EXPECT_THAT(text, HasSubstr("four"));
  log::SetUp(Level::kDebug);
  EXPECT_THAT(Captured([] { Debug("five"); }), HasSubstr("five"));
}

TEST(OperatorLog, AMessageIsTextAndNeverAFormat) {
  EXPECT_THAT(Captured([] { Error("{} {0} %s %n {:>999999}"); }),
              HasSubstr("{} {0} %s %n {:>999999}"));
}

TEST(OperatorLog, NoTextFromOutsideCanPassForAMessage) {
  EXPECT_EQ(Printable("one\ntwo"), "one\n  two");
  EXPECT_EQ(Printable("clear\x1b[2J\rscreen\x7f"), "clear\\x1B[2J\\x0Dscreen\\x7F");
  EXPECT_EQ(Printable("end\n\n"), "end");
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(Printable("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(Printable(""), "");
}

TEST(OperatorLog, ThreadsWriteWholeLines) {
  log::SetUp(Level::kInfo);
  const std::string text = Captured([] {
    std::thread one([] {
      for (int i = 0; i < 100; ++i) Info("aaaaaaaaaaaaaaaaaaaa");
    });
    for (int i = 0; i < 100; ++i) Info("bbbbbbbbbbbbbbbbbbbb");
    one.join();
  });
  size_t lines = 0;
  for (size_t at = 0; at < text.size(); ++lines) {
    const size_t end = text.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    const std::string line = text.substr(at, end - at);
    ASSERT_TRUE(line.ends_with(" aaaaaaaaaaaaaaaaaaaa") || line.ends_with(" bbbbbbbbbbbbbbbbbbbb"))
        << line;
    at = end + 1;
  }
  EXPECT_EQ(lines, 200u);
}

}  // namespace
}  // namespace portcullis::log
