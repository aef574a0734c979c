#include "tls/name_syntax.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

using std::string_view;

void ExpectAll(bool (*is)(string_view), bool expected, const std::vector<string_view>& texts) {
  for (const string_view text : texts) EXPECT_EQ(is(text), expected) << "'" << text << "'";
}

TEST(NameSyntax, HostNames) {
  const std::string label(63, 'a');
  ExpectAll(IsHostName, true,
            {"a", "localhost", "A-1.example.com", "xn--n3h.com", "3com.com", label});
  const std::string long_label(64, 'a');
  const std::string long_name = label + "." + label + "." + label + "." + label;
  ExpectAll(IsHostName, false,
            {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b", "*.a.b", "1.2.3.4", "a.1",
             "\xc3\xa9.com", long_label, long_name, string_view("a\0b", 3)});
}

TEST(NameSyntax, HostPatterns) {
  ExpectAll(IsHostPattern, true, {"a", "*.example.com", "*.a.b.c"});
  ExpectAll(IsHostPattern, false, {"*", "*.", "*.com", "a.*.com", "a*.b.com", "*.*.a.b", "*.1.2"});
}

TEST(NameSyntax, Mailboxes) {
  ExpectAll(IsMailbox, true,
            {"a@b", "a.b@example.com", "*@example.com", "\"a b@c\"@example.com", "a+b@c.d"});
  ExpectAll(IsMailbox, false,
            {"", "a", "@b", "a@", "a@b@c", ".a@b", "a.@b", "a..b@c", "a b@c", "\"\"\"@b", "a@b_c"});
}

TEST(NameSyntax, Uris) {
  ExpectAll(IsAbsoluteUri, true, {"spiffe://a/b", "urn:x", "http://[::1]/"});
  ExpectAll(IsAbsoluteUri, false, {"", "a", "/a", ":a", "a:", "1a:b", "a:b c", "a:\xc3\xa9"});
}

TEST(NameSyntax, AddressesWithMasks) {
  const auto is = [](std::vector<uint8_t> octets) { return IsAddressAndMask(octets); };
  EXPECT_TRUE(is({10, 0, 0, 0, 255, 0, 0, 0}));
  EXPECT_TRUE(is({10, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(is({10, 0, 0, 1, 255, 255, 255, 255}));
  EXPECT_TRUE(is({10, 0, 0, 0, 255, 254, 0, 0}));
  EXPECT_FALSE(is({10, 0, 0, 0, 255, 0, 255, 0}));
  EXPECT_FALSE(is({10, 0, 0, 0, 127, 0, 0, 0}));
  EXPECT_FALSE(is({10, 0, 0, 1}));
  EXPECT_FALSE(is({}));
  EXPECT_TRUE(is(std::vector<uint8_t>(32, 0)));
  EXPECT_FALSE(is(std::vector<uint8_t>(16, 0)));
}

TEST(NameSyntax, WhatReadsAsAHost) {
  const std::vector<string_view> domains = {"a.example", "*.a.example", "a_b.example",
                                            "\xe6\xb8\xac.com"};
  const std::vector<string_view> addresses = {"10.0.0.1", "010.0.0.1", "0xC0A80101", "::1",
                                              "2001:DB8::1"};
  const std::vector<string_view> others = {
      "", "alice", "Ada Lovelace", "a@example.com", "J. Doe", "a:b", "17"};
  ExpectAll(ReadsAsDomain, true, domains);
  ExpectAll(ReadsAsDomain, false, addresses);
  ExpectAll(ReadsAsDomain, false, others);
  ExpectAll(ReadsAsAddress, true, addresses);
  ExpectAll(ReadsAsAddress, false, domains);
  ExpectAll(ReadsAsAddress, false, others);
}

}  // namespace
}  // namespace portcullis::tls
