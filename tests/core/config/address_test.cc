#include "core/config/address.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace portcullis::config {
namespace {

// The canonical text of an address, or why it was refused.
std::string Listen(std::string_view text) {
  const absl::StatusOr<Address> address = ParseListenAddress(text);
  return address.ok() ? FormatAddress(*address) : std::string(address.status().message());
}
std::string TargetOf(std::string_view text) {
  const absl::StatusOr<Address> address = ParseTargetAddress(text);
  return address.ok() ? FormatAddress(*address) : std::string(address.status().message());
}

TEST(ListenAddress, HasItsForms) {
  EXPECT_EQ(Listen("0.0.0.0:8443"), "0.0.0.0:8443");
  EXPECT_EQ(Listen("127.0.0.1:0"), "127.0.0.1:0");
  EXPECT_EQ(Listen("[::]:65535"), "[::]:65535");
  EXPECT_EQ(Listen("[2001:DB8:0::1]:443"), "[2001:db8::1]:443");
  EXPECT_EQ(Listen("*:8443"), "*:8443");
}

TEST(ListenAddress, SaysWhatIsWrong) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "the port is missing"},
      {"8443", "the port is missing"},
      {"127.0.0.1", "the port is missing"},
      {"127.0.0.1:", "the port is not a number"},
      {"127.0.0.1:https", "the port is not a number"},
      {"127.0.0.1:-1", "the port is not a number"},
      {"127.0.0.1:+1", "the port is not a number"},
      {"127.0.0.1: 1", "the port is not a number"},
      {"127.0.0.1:65536", "the port is above 65535"},
      {"127.0.0.1:99999999999999999999", "the port is above 65535"},
      {":8443", "the host is missing: * stands for every address"},
      {"localhost:8443", "a name cannot be listened on, only an address"},
      {"256.0.0.1:80", "the host is no IPv4 address"},
      {"127.1:80", "the host is no IPv4 address"},
      {"::1:443", "an IPv6 address stands in brackets: [::1]:443"},
      {"[::1]", "the port is missing"},
      {"[::1]443", "the port is missing"},
      {"[::1:443", "the ']' is missing"},
      {"[::g]:443", "what stands in the brackets is no IPv6 address"},
      {"[127.0.0.1]:443", "what stands in the brackets is no IPv6 address"},
      {"[]:443", "what stands in the brackets is no IPv6 address"},
      {"[fe80::1%eth0]:443", "what stands in the brackets is no IPv6 address"},
      {"unix:/run/x.sock", "only backend targets can be Unix sockets"},
  };
  for (const auto& [text, why] : cases) EXPECT_EQ(Listen(text), why) << text;
}

TEST(Addresses, DoNotEndAtANul) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(Listen("[::1\0x]:443"sv), "there is a NUL character in it");
  EXPECT_EQ(Listen("127.0.0.1\0.5:443"sv), "there is a NUL character in it");
  EXPECT_EQ(TargetOf("unix:/a\0b"sv), "there is a NUL character in it");
  EXPECT_EQ(TargetOf("a\0b:80"sv), "there is a NUL character in it");
}

TEST(TargetAddress, HasItsForms) {
  EXPECT_EQ(TargetOf("127.0.0.1:3000"), "127.0.0.1:3000");
  EXPECT_EQ(TargetOf("[::1]:3000"), "[::1]:3000");
  EXPECT_EQ(TargetOf("App.Default.svc:80"), "app.default.svc:80");
  EXPECT_EQ(TargetOf("my_app:80"), "my_app:80");
  EXPECT_EQ(TargetOf("unix:/run/app.sock"), "unix:/run/app.sock");
  EXPECT_EQ(ParseTargetAddress("unix:/run/app.sock")->kind, AddressKind::kUnix);
  EXPECT_EQ(ParseTargetAddress("app:80")->kind, AddressKind::kName);
  EXPECT_EQ(ParseTargetAddress("app:80")->port, 80);
}

TEST(TargetAddress, SaysWhatIsWrong) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"127.0.0.1:0", "port 0 cannot be connected to"},
      {"*:80", "* cannot be connected to"},
      {":80", "the host is missing"},
      {"http://app:80", "an address has no scheme"},
      {"app/x:80", "the host is no DNS name"},
      {"-app:80", "the host is no DNS name"},
      {"300.1.1.1:80", "the host is no IPv4 address"},
      {"unix:run/app.sock", "the path of a Unix socket must be absolute"},
      {"unix:", "the path of a Unix socket must be absolute"},
      {"unix:@abstract", "the path of a Unix socket must be absolute"},
      {"unix:/" + std::string(107, 'x'), "the path of a Unix socket is above 107 bytes"},
  };
  for (const auto& [text, why] : cases) EXPECT_EQ(TargetOf(text), why) << text;
  EXPECT_TRUE(ParseTargetAddress("unix:/" + std::string(106, 'x')).ok());
}

TEST(AddressesOverlap, TellsWhichListenersCompete) {
  const auto overlap = [](std::string_view a, std::string_view b) {
    const bool result = AddressesOverlap(*ParseListenAddress(a), *ParseListenAddress(b));
    EXPECT_EQ(AddressesOverlap(*ParseListenAddress(b), *ParseListenAddress(a)), result)
        << a << " " << b;
    return result;
  };
  EXPECT_TRUE(overlap("127.0.0.1:443", "127.0.0.1:443"));
  EXPECT_TRUE(overlap("[::1]:443", "[0:0::1]:443"));
  EXPECT_TRUE(overlap("*:443", "*:443"));
  EXPECT_TRUE(overlap("*:443", "0.0.0.0:443"));
  EXPECT_TRUE(overlap("*:443", "[::]:443"));
  EXPECT_TRUE(overlap("*:443", "127.0.0.1:443"));
  EXPECT_TRUE(overlap("[::]:443", "0.0.0.0:443"));
  EXPECT_TRUE(overlap("[::]:443", "[::1]:443"));
  EXPECT_TRUE(overlap("0.0.0.0:443", "127.0.0.1:443"));
  EXPECT_FALSE(overlap("0.0.0.0:443", "[::1]:443"));
  EXPECT_FALSE(overlap("127.0.0.1:443", "127.0.0.2:443"));
  EXPECT_FALSE(overlap("127.0.0.1:443", "127.0.0.1:444"));
  EXPECT_FALSE(overlap("*:443", "*:444"));
  EXPECT_FALSE(overlap("127.0.0.1:0", "127.0.0.1:0"));
  EXPECT_FALSE(overlap("*:0", "*:0"));
}

}  // namespace
}  // namespace portcullis::config
