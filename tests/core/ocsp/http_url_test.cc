#include "core/ocsp/http_url.h"

#include "gtest/gtest.h"

namespace portcullis::ocsp {
namespace {

// The parts, or nothing.
std::string Parts(const std::string& url) {
  const auto parts = ParseHttpUrl(url);
  if (!parts.has_value()) return "";
  return parts->host + " " + std::to_string(parts->port) + " " + parts->authority + " " +
         parts->target;
}

TEST(HttpUrl, IsTakenApart) {
  EXPECT_EQ(Parts("http://ocsp.example"), "ocsp.example 80 ocsp.example /");
  EXPECT_EQ(Parts("HTTP://ocsp.example:8080/a/b?c"), "ocsp.example 8080 ocsp.example:8080 /a/b?c");
  EXPECT_EQ(Parts("http://ocsp.example?q"), "ocsp.example 80 ocsp.example /?q");
  EXPECT_EQ(Parts("http://192.0.2.1:1/"), "192.0.2.1 1 192.0.2.1:1 /");
  EXPECT_EQ(Parts("http://[2001:db8::1]:81/x"), "2001:db8::1 81 [2001:db8::1]:81 /x");
}

TEST(HttpUrl, WhatIsNoneOrDangerousIsRefused) {
  for (const std::string url :
       {"", "http://", "https://ocsp.example", "ftp://x", "ocsp.example", "http://:80", "http:///x",
        "http://a:0", "http://a:65536", "http://a:", "http://a:8x", "http://[::1", "http://[::1]x",
        "http://user@a/", "http://a/#f", "http://a/ b", "http://a/\r\nX: y", "http://a/\xc3\xa9"}) {
    EXPECT_EQ(Parts(url), "") << url;
  }
  EXPECT_EQ(Parts("http://a/" + std::string(2000, 'x')), "");
}

}  // namespace
}  // namespace portcullis::ocsp
