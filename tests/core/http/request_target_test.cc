#include "core/http/request_target.h"

#include <gtest/gtest.h>

#include <string>

#include "core/http/message.h"

namespace portcullis::http {
namespace {

// What ParseTarget makes of `target` with the Hosts given, as "[authority] path" or "STATUS
// REASON".
std::string Parse(const char* method, const char* target, std::initializer_list<const char*> hosts,
                  bool http10 = false) {
  RequestHead head;
  head.method = method;
  for (const char* host : hosts) head.headers.Add("Host", host);
  const HttpError error = ParseTarget(target, http10, head);
  if (error.status != 0) return std::to_string(error.status) + " " + error.reason;
  return "[" + head.authority + "] " + head.path;
}

TEST(RequestTarget, ReadsTheFourForms) {
  EXPECT_EQ(Parse("GET", "/a?b", {"h"}), "[h] /a?b");
  EXPECT_EQ(Parse("GET", "//h2/../%2e%00", {"H:1"}), "[H:1] //h2/../%2e%00")
      << "paths pass as they are";
  EXPECT_EQ(Parse("GET", "http://h/a?b", {"H"}), "[h] /a?b");
  EXPECT_EQ(Parse("GET", "HTTPS://h:8443", {"h:8443"}), "[h:8443] /");
  EXPECT_EQ(Parse("GET", "https://h?q=/", {"h"}), "[h] /?q=/");
  EXPECT_EQ(Parse("OPTIONS", "*", {"h"}), "[h] *");
  EXPECT_EQ(Parse("OPTIONS", "http://h", {"h"}), "[h] *");
  EXPECT_EQ(Parse("OPTIONS", "http://h/", {"h"}), "[h] /");
  EXPECT_EQ(Parse("CONNECT", "h:443", {"h"}), "405 method not allowed");
  EXPECT_EQ(Parse("TRACE", "/", {"h"}), "405 method not allowed");
}

TEST(RequestTarget, WantsExactlyOneHost) {
  EXPECT_EQ(Parse("GET", "/", {}), "400 no Host");
  EXPECT_EQ(Parse("GET", "http://h/", {}), "400 no Host");
  EXPECT_EQ(Parse("GET", "/", {"h", "h"}), "400 more than one Host");
  EXPECT_EQ(Parse("GET", "/", {}, true), "[] /");
  EXPECT_EQ(Parse("GET", "http://h/", {}, true), "[h] /");
  EXPECT_EQ(Parse("GET", "/", {"h", "h"}, true), "400 more than one Host");
  EXPECT_EQ(Parse("GET", "http://h/", {"i"}),
            "400 Host differs from the request target's authority");
  EXPECT_EQ(Parse("GET", "http://h/", {"h:80"}),
            "400 Host differs from the request target's authority");
}

TEST(RequestTarget, RefusesMalformedTargets) {
  EXPECT_EQ(Parse("GET", "", {"h"}), "400 malformed request target");
  EXPECT_EQ(Parse("GET", "a", {"h"}), "400 malformed request target");
  EXPECT_EQ(Parse("GET", "ftp://h/", {"h"}), "400 malformed request target");
  EXPECT_EQ(Parse("GET", "http:/h/", {"h"}), "400 malformed request target");
  EXPECT_EQ(Parse("GET", "http:///", {"h"}), "400 invalid authority in the request target");
  EXPECT_EQ(Parse("GET", "http://u@h/", {"h"}), "400 invalid authority in the request target");
  EXPECT_EQ(Parse("GET", "*", {"h"}), "400 request target * without OPTIONS");
  EXPECT_EQ(Parse("GET", "/#f", {"h"}), "400 fragment in the request target");
  EXPECT_EQ(Parse("GET", "/a\x01", {"h"}), "400 control character or space in the request target");
  EXPECT_EQ(Parse("GET", "/\xc3\xa9", {"h"}),
            "400 control character or space in the request target");
}

TEST(RequestTarget, ValidatesAuthorities) {
  for (const char* good : {"h", "H.example.", "a_b~c-d", "h:1", "h:65535", "1.2.3.4:80", "[::1]",
                           "[::1]:8443", "[::ffff:1.2.3.4]"}) {
    EXPECT_TRUE(ValidAuthority(good)) << good;
  }
  for (const char* bad :
       {"",     ":1",    "h:",   "h:0",   "h:65536", "h:123456", "h:8x",     "h:1:2", "a,b",
        "a b",  "a/b",   "a@b",  "a%2eb", "a?b",     "a#b",      "\xc3\xa9", "[",     "[]",
        "[:]x", "[g::]", "[::1", "::1",   "[::1]1",  "[::1]:",   "[v1.x]"}) {
    EXPECT_FALSE(ValidAuthority(bad)) << bad;
  }
}

}  // namespace
}  // namespace portcullis::http
