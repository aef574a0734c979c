#include "core/server/commands/curl.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/server/commands/embedded_backend.h"
#include "core/server/commands/subprocess.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ShellLine, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(ShellLine({"curl", "-i", "--cert", "/tmp/a-b_c.crt", "https://localhost:8443/"}),
            "curl -i --cert /tmp/a-b_c.crt https://localhost:8443/");
  EXPECT_EQ(ShellLine({"a b", "", "c'd", "$e", "*"}), "'a b' '' 'c'\\''d' '$e' '*'");
}

TEST(ShellLine, IsReadBackByAShell) {
  const std::vector<std::string> words = {"printf", "[%s]", "a b", "",    "c'd'",
                                          "$HOME",  "`x`",  "\\",  "!\n;"};
  const absl::StatusOr<ProcessResult> ran =
      RunProcess({"sh", "-c", ShellLine(words)}, {}, std::chrono::seconds(10));
  ASSERT_TRUE(ran.ok()) << ran.status();
  EXPECT_EQ(ran->out, "[a b][][c'd'][$HOME][`x`][\\][!\n;]");
}

TEST(ParseAnswer, SplitsStatusHeadAndBody) {
  const absl::StatusOr<CurlAnswer> answer =
      ParseAnswer("HTTP/1.1 400 Bad Request\r\nA: b\r\nC: d\r\n\r\nbody\r\n\r\nmore");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status_line, "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(answer->head, "A: b\r\nC: d\r\n");
  EXPECT_EQ(answer->body, "body\r\n\r\nmore");
}

TEST(ParseAnswer, PassesOverInterimAnswers) {
  const absl::StatusOr<CurlAnswer> answer = ParseAnswer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
      "OK\r\n\r\n");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status_line, "HTTP/1.1 200 OK");
  EXPECT_EQ(answer->head, "");
  EXPECT_EQ(answer->body, "");
}

TEST(ParseAnswer, QuotesWhatIsNoAnswer) {
  for (const char* output :
       {"", "HTTP/1.1 200 OK\r\nA: b\r\n", "<html>", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    EXPECT_FALSE(ParseAnswer(output).ok()) << output;
  }
  EXPECT_THAT(std::string(ParseAnswer("<html>").status().message()), HasSubstr("'<html>'"));
}

TEST(RunCurl, FetchesWithoutProxyOrSettingsOfTheUser) {
  const absl::StatusOr<std::unique_ptr<EmbeddedBackend>> backend = EmbeddedBackend::Start({});
  ASSERT_TRUE(backend.ok()) << backend.status();
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  const absl::StatusOr<std::string> output =
      RunCurl({"curl", "-i", "http://" + (*backend)->address() + "/status/418"});
  unsetenv("http_proxy");
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_THAT(*output, StartsWith("HTTP/1.1 418 I'm a teapot\r\n"));
}

TEST(RunCurl, RepeatsWhatCurlSays) {
  const absl::StatusOr<std::string> output = RunCurl({"curl", "http://127.0.0.1:0/"});
  ASSERT_FALSE(output.ok());
  EXPECT_THAT(std::string(output.status().message()), HasSubstr("curl exit status "));
  EXPECT_THAT(std::string(output.status().message()), HasSubstr("curl: ("));
}

TEST(RunCurl, TellsThatThereIsNone) {
  EXPECT_TRUE(absl::IsNotFound(RunCurl({"no-such-curl"}).status()));
}

}  // namespace
}  // namespace portcullis::server
