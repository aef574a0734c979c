#include "core/http/header_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/http/identity.h"
#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

HeaderList List(const Fields& fields) {
  HeaderList list;
  for (const auto& [name, value] : fields) list.Add(name, value);
  return list;
}

std::string WithoutHopByHop(const Fields& fields) {
  HeaderList list = List(fields);
  RemoveHopByHop(list);
  return Describe(list);
}

TEST(HeaderRules, RemovesHopByHopFieldsAndWhatConnectionNames) {
  EXPECT_EQ(WithoutHopByHop({{"A", "1"},
                             {"Connection", "close, x-b"},
                             {"X-B", "2"},
                             {"Keep-Alive", "timeout=5"},
                             {"TE", "trailers"},
                             {"connection", "X-C"},
                             {"x-c", "3"},
                             {"Upgrade", "websocket"},
                             {"Proxy-Connection", "keep-alive"},
                             {"Proxy-Authorization", "Basic x"},
                             {"Trailer", "T"},
                             {"D", "4"}}),
            "  A=[1]\n  Trailer=[T]\n  D=[4]\n");
}

TEST(HeaderRules, ConnectionCannotRemoveWhatTheMessageNeeds) {
  EXPECT_EQ(WithoutHopByHop({{"Connection", "Authorization, Cookie, Content-Type, X"},
                             {"Authorization", "Basic x"},
                             {"Cookie", "c"},
                             {"Content-Type", "t"},
                             {"X", "y"}}),
            "  Authorization=[Basic x]\n  Cookie=[c]\n  Content-Type=[t]\n");
}

TEST(HeaderRules, ALongConnectionListIsBounded) {
  std::string options;
  for (int i = 0; i < 10000; ++i) options += "o" + std::to_string(i) + ",";
  EXPECT_EQ(WithoutHopByHop({{"Connection", options}, {"o0", "a"}, {"o9999", "b"}}),
            "  o9999=[b]\n");
}

TEST(HeaderRules, KnowsForwardingFieldsInAnySpelling) {
  for (const char* name :
       {"X-Forwarded-For", "x_forwarded_for", "X-Forwarded-Proto", "X-FORWARDED-HOST",
        "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded", "X-Real-IP", "x_real_ip", "X-Scheme",
        "X-Original-Forwarded-For", "X-Client-IP", "True-Client-IP", "X-Cluster-Client-Ip"}) {
    EXPECT_TRUE(IsForwardingHeader(name)) << name;
  }
  for (const char* name :
       {"", "X", "X-Forward", "For", "Forwarded-For", "X-Request-ID", "TE", "From"}) {
    EXPECT_FALSE(IsForwardingHeader(name)) << name;
  }
}

std::string Forward(config::Forwarding mode, const ForwardingContext& context,
                    std::string_view authority) {
  HeaderList headers;
  SetForwarding(mode, context, authority, headers);
  return Describe(headers);
}

TEST(HeaderRules, SetsForwardingFieldsByMode) {
  const ForwardingContext v4{.client_ip = "192.0.2.1", .server_port = 8443};
  const ForwardingContext v6{.client_ip = "2001:db8::1", .server_port = 443};
  const std::string x_v4 =
      "  X-Real-IP=[192.0.2.1]\n  X-Forwarded-For=[192.0.2.1]\n  X-Forwarded-Host=[a:8443]\n"
      "  X-Forwarded-Port=[8443]\n  X-Forwarded-Proto=[https]\n  X-Forwarded-Scheme=[https]\n"
      "  X-Scheme=[https]\n";
  const std::string v4_forwarded = "  Forwarded=[for=192.0.2.1;host=\"a:8443\";proto=https]\n";
  using config::Forwarding;
  EXPECT_EQ(Forward(Forwarding::kXForwarded, v4, "a:8443"), x_v4);
  EXPECT_EQ(Forward(Forwarding::kForwarded, v4, "a:8443"), v4_forwarded);
  EXPECT_EQ(Forward(Forwarding::kBoth, v4, "a:8443"), x_v4 + v4_forwarded);
  EXPECT_EQ(Forward(Forwarding::kOff, v4, "a:8443"), "");
  EXPECT_EQ(Forward(Forwarding::kForwarded, v6, "a.b"),
            "  Forwarded=[for=\"[2001:db8::1]\";host=a.b;proto=https]\n");
  EXPECT_EQ(Forward(Forwarding::kForwarded, v6, "[::1]"),
            "  Forwarded=[for=\"[2001:db8::1]\";host=\"[::1]\";proto=https]\n");
  EXPECT_EQ(Forward(Forwarding::kForwarded, v6, ""),
            "  Forwarded=[for=\"[2001:db8::1]\";proto=https]\n");
  EXPECT_EQ(Forward(Forwarding::kXForwarded, v6, ""),
            "  X-Real-IP=[2001:db8::1]\n  X-Forwarded-For=[2001:db8::1]\n  X-Forwarded-Port=[443]\n"
            "  X-Forwarded-Proto=[https]\n  X-Forwarded-Scheme=[https]\n  X-Scheme=[https]\n");
}

TEST(HeaderRules, NoClaimOfTheClientReachesTheBackend) {
  const IdentityHeaders identity(
      config::IdentityProfile::kIngressNginx,
      {.verify = ClientIdentityView::Verify::kSuccess, .subject = "CN=c"});
  RequestHead head;
  head.authority = "a";
  head.upgrade = "websocket";
  head.headers = List({{"Connection", "upgrade, ssl-client-verify, X-Forwarded-For, X-Real-IP"},
                       {"Upgrade", "websocket"},
                       {"X-Forwarded-For", "10.0.0.1"},
                       {"x_forwarded_proto", "http"},
                       {"Forwarded", "for=evil"},
                       {"ssl-client-verify", "SUCCESS"},
                       {"ssl_client_subject_dn", "CN=root"},
                       {"X-Forwarded-Client-Cert", "Hash=00"},
                       {"Accept", "*/*"}});
  PrepareForBackend({.forwarding = config::Forwarding::kXForwarded,
                     .context = {.client_ip = "192.0.2.1", .server_port = 443},
                     .identity = &identity},
                    head);
  EXPECT_EQ(Describe(head.headers),
            "  Accept=[*/*]\n  X-Real-IP=[192.0.2.1]\n  X-Forwarded-For=[192.0.2.1]\n"
            "  X-Forwarded-Host=[a]\n  X-Forwarded-Port=[443]\n  X-Forwarded-Proto=[https]\n"
            "  X-Forwarded-Scheme=[https]\n  X-Scheme=[https]\n  ssl-client-verify=[SUCCESS]\n"
            "  ssl-client-subject-dn=[CN=c]\n");
  EXPECT_EQ(head.upgrade, "websocket");

  head.headers = List({{"ssl-client-verify", "SUCCESS"},
                       {"Forwarded", "for=x"},
                       {"Content_Length", "5"},
                       {"transfer_encoding", "chunked"},
                       {"A", "b"}});
  PrepareForBackend({.forwarding = config::Forwarding::kOff}, head);
  EXPECT_EQ(Describe(head.headers), "  A=[b]\n") << "stripped even where nothing is set";
}

TEST(HeaderRules, CleansResponsesForTheClient) {
  ResponseHead head;
  head.headers = List({{"Connection", "close, X"}, {"X", "y"}, {"Keep-Alive", "5"}, {"Z", "1"}});
  PrepareForClient(head);
  EXPECT_EQ(Describe(head.headers), "  Z=[1]\n");
}

TEST(HeaderRules, FiltersTrailers) {
  HeaderList trailers = List({{"X-Sum", "1"},
                              {"Content-Length", "3"},
                              {"Transfer-Encoding", "chunked"},
                              {"host", "evil"},
                              {"Authorization", "x"},
                              {"X-Forwarded-For", "1.2.3.4"},
                              {"SSL_CLIENT_VERIFY", "SUCCESS"},
                              {"Connection", "close"},
                              {"grpc-status", "0"}});
  FilterTrailers(trailers);
  EXPECT_EQ(Describe(trailers), "  X-Sum=[1]\n  grpc-status=[0]\n");
}

}  // namespace
}  // namespace portcullis::http
