#include "io/socket_address.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "tests/io/ring_fixture.h"

namespace portcullis::io {
namespace {

TEST(SocketAddress, TextFormsParseAndPrintBack) {
  for (const char* text :
       {"127.0.0.1:80", "0.0.0.0:0", "[::1]:443", "[2001:db8::a:1]:65535", "unix:/run/app.sock"}) {
    const auto address = SocketAddress::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
    EXPECT_EQ(*SocketAddress::Parse(address->ToString()), *address);
  }
}

TEST(SocketAddress, PartsAreThoseOfTheText) {
  const SocketAddress v4 = *SocketAddress::Parse("192.0.2.7:8443");
  EXPECT_EQ(v4.family(), AF_INET);
  EXPECT_EQ(v4.port(), 8443);
  EXPECT_EQ(v4.Ip(), "192.0.2.7");
  EXPECT_EQ(v4.ip_bytes().size(), 4U);
  EXPECT_EQ(v4.ip_bytes()[3], 7);
  EXPECT_EQ(v4.length(), sizeof(sockaddr_in));
  const SocketAddress v6 = *SocketAddress::Parse("[::1]:9");
  EXPECT_EQ(v6.family(), AF_INET6);
  EXPECT_EQ(v6.Ip(), "::1");
  EXPECT_EQ(v6.ip_bytes().size(), 16U);
  const SocketAddress local = *SocketAddress::Parse("unix:/tmp/x");
  EXPECT_TRUE(local.is_unix());
  EXPECT_EQ(local.Ip(), "/tmp/x");
  EXPECT_EQ(local.port(), 0);
  EXPECT_TRUE(local.ip_bytes().empty());
}

TEST(SocketAddress, AStarIsEveryAddress) {
  const SocketAddress any = *SocketAddress::Parse("*:8443");
  EXPECT_EQ(any.port(), 8443);
  for (const uint8_t byte : any.ip_bytes()) EXPECT_EQ(byte, 0);
}

TEST(SocketAddress, RefusesEverythingElseAndSaysWhatIsAllowed) {
  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string& text : {std::string(),
                                  std::string("127.0.0.1"),
                                  std::string("127.0.0.1:"),
                                  std::string("127.0.0.1:65536"),
                                  std::string("127.0.0.1:-1"),
                                  std::string("127.0.0.1:+1"),
                                  std::string("127.0.0.1: 80"),
                                  std::string("127.0.0.1:80x"),
                                  std::string("localhost:80"),
                                  std::string("::1:80"),
                                  std::string("[127.0.0.1]:80"),
                                  std::string("[::1]"),
                                  std::string("[::1]80"),
                                  std::string("[::1:80"),
                                  std::string(":80"),
                                  std::string("1.2.3:80"),
                                  std::string("[fe80::1%lo]:80"),
                                  std::string("unix:"),
                                  std::string("unix:a\0b", 8),
                                  long_path}) {
    const auto address = SocketAddress::Parse(text);
    ASSERT_FALSE(address.ok()) << text;
    const std::string message(address.status().message());
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_NE(message.find("allowed: "), std::string::npos) << message;
  }
}

TEST(SocketAddress, ADefaultOneIsUnspecified) {
  const SocketAddress none;
  EXPECT_EQ(none.family(), AF_UNSPEC);
  EXPECT_EQ(none.ToString(), "unspecified");
  EXPECT_EQ(none.length(), 0U);
  EXPECT_EQ(none, SocketAddress());
  EXPECT_NE(none, *SocketAddress::Parse("0.0.0.0:0"));
}

TEST(SocketAddress, EqualityLooksAtFamilyAddressAndPort) {
  EXPECT_EQ(*SocketAddress::Parse("1.2.3.4:5"), *SocketAddress::FromIp("1.2.3.4", 5));
  EXPECT_NE(*SocketAddress::Parse("1.2.3.4:5"), *SocketAddress::Parse("1.2.3.4:6"));
  EXPECT_NE(*SocketAddress::Parse("1.2.3.4:5"), *SocketAddress::Parse("1.2.3.5:5"));
  EXPECT_NE(*SocketAddress::Parse("unix:/a"), *SocketAddress::Parse("unix:/b"));
}

TEST(SocketAddress, AMappedPeerIsPlainIpv4) {
  const SocketAddress mapped = *SocketAddress::Parse("[::ffff:192.0.2.9]:1234");
  EXPECT_EQ(mapped.Unmapped().ToString(), "192.0.2.9:1234");
  EXPECT_EQ(SocketAddress::Parse("[2001:db8::1]:1")->Unmapped().ToString(), "[2001:db8::1]:1");
}

TEST(SocketAddress, FromSockaddrCopiesKnownFamiliesAndRefusesShortOnes) {
  const SocketAddress v6 = *SocketAddress::Parse("[::1]:77");
  EXPECT_EQ(SocketAddress::FromSockaddr(v6.data(), v6.length()), v6);
  EXPECT_EQ(SocketAddress::FromSockaddr(v6.data(), 8), SocketAddress());
  sockaddr other{};
  other.sa_family = AF_PACKET;
  EXPECT_EQ(SocketAddress::FromSockaddr(&other, sizeof other), SocketAddress());
  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  const auto address =
      SocketAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&unnamed), sizeof(sa_family_t));
  EXPECT_TRUE(address.is_unix());
  EXPECT_EQ(address.Ip(), "");
}

TEST(IpEndpoint, KeepsAddressAndPortAndOfAPathOnlyThatItIsOne) {
  for (const char* text : {"192.0.2.7:8443", "[2001:db8::1]:9", "[::]:0", "0.0.0.0:65535"}) {
    const SocketAddress address = *SocketAddress::Parse(text);
    const IpEndpoint endpoint(address);
    EXPECT_EQ(endpoint.Full(), address);
    EXPECT_EQ(endpoint.ToString(), text);
    EXPECT_EQ(endpoint.Ip(), address.Ip());
  }
  EXPECT_EQ(IpEndpoint(*SocketAddress::Parse("unix:/tmp/x")).ToString(), "unix:");
  EXPECT_EQ(IpEndpoint().Full(), SocketAddress());
  EXPECT_EQ(IpEndpoint(SocketAddress()).ToString(), "unspecified");
}

TEST(SocketAddress, PeerAndLocalOfAConnectionCross) {
  const TcpPair pair = MakeTcpPair();
  EXPECT_EQ(PeerOf(pair.near.get()), LocalOf(pair.far.get()));
  EXPECT_EQ(LocalOf(pair.near.get()), PeerOf(pair.far.get()));
  EXPECT_EQ(PeerOf(pair.near.get()).Ip(), "127.0.0.1");
  EXPECT_EQ(PeerOf(-1), SocketAddress());
}

}  // namespace
}  // namespace portcullis::io
