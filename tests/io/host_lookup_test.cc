#include "io/host_lookup.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace portcullis::io {
namespace {

TEST(LookUpHost, FindsEveryAddressWithThePort) {
  const auto found = LookUpHost("localhost", "8443", false);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_FALSE(found->empty());
  for (const SocketAddress& address : *found) {
    EXPECT_TRUE(address.is_ip());
    EXPECT_EQ(address.port(), 8443);
  }
}

TEST(LookUpHost, NamesBelowLocalhostAreLoopback) {
  const auto found = LookUpHost("backend.LOCALHOST", "80", true);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->front().Ip() == "127.0.0.1" || found->front().Ip() == "::1");
  EXPECT_EQ(found->front().port(), 80);
  EXPECT_FALSE(LookUpHost("notlocalhost", "80", true).ok());
}

TEST(LookUpHost, WithoutAPortItIsZero) {
  const auto found = LookUpHost("127.0.0.1", "", true);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().ToString(), "127.0.0.1:0");
}

TEST(LookUpHost, SaysWhyItFindsNothing) {
  const auto found = LookUpHost("nobody.invalid", "80", false);
  EXPECT_TRUE(absl::IsNotFound(found.status()));
  EXPECT_FALSE(found.status().message().empty());
}

}  // namespace
}  // namespace portcullis::io
