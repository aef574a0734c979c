#include "core/http/http1_upgrade.h"

#include <gtest/gtest.h>

#include <string>

namespace portcullis::http {
namespace {

std::string Offer(const char* connection, std::initializer_list<const char*> upgrades) {
  HeaderList headers;
  headers.Add("Connection", connection);
  for (const char* upgrade : upgrades) headers.Add("Upgrade", upgrade);
  std::string offer = "stale";
  OfferedUpgrade(headers, offer);
  return offer;
}

TEST(Http1Upgrade, PassesProtocolsThatConnectionNames) {
  EXPECT_EQ(Offer("upgrade", {"websocket"}), "websocket");
  EXPECT_EQ(Offer("keep-alive, Upgrade", {"WebSocket, foo/2.0", "bar"}), "WebSocket, foo/2.0, bar");
  EXPECT_EQ(Offer("keep-alive", {"websocket"}), "") << "not named by Connection";
  EXPECT_EQ(Offer("upgrade", {}), "");
}

TEST(Http1Upgrade, DropsProtocolsThatWouldCarryRequestsPastUs) {
  EXPECT_EQ(Offer("Upgrade, HTTP2-Settings", {"h2c"}), "");
  EXPECT_EQ(Offer("upgrade", {"H2C, websocket, TLS/1.0, HTTP/2.0, h2"}), "websocket");
}

TEST(Http1Upgrade, DropsMalformedProtocols) {
  EXPECT_EQ(Offer("upgrade", {"a b, /1, c/, d/1/2, \"e\", f"}), "f");
}

}  // namespace
}  // namespace portcullis::http
