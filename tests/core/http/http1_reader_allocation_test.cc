// Once warm, an exchange allocates nothing: request and response heads, header rules, identity,
// bodies and trailers, both codecs. Counts calls of operator new, which this test replaces.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "core/http/header_rules.h"
#include "core/http/identity.h"
#include "tests/core/http/transcripts.h"

namespace {
size_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace portcullis::http {
namespace {

// Counts bytes, keeps none.
ByteSink Counter(size_t& bytes) {
  return {&bytes,
          [](void* ctx, const uint8_t*, size_t size) { *static_cast<size_t*>(ctx) += size; }};
}

// A proxy of one connection each way, without the waiting.
class Proxy final : public RequestEvents, public ResponseEvents {
 public:
  Proxy() : server({}, *this), client({}, *this) {}

  void OnRequestHead(RequestHead& head) override {
    PrepareForBackend({.forwarding = config::Forwarding::kBoth,
                       .context = {.client_ip = "2001:db8::1", .server_port = 8443},
                       .identity = &identity},
                      head);
    client.EncodeRequestHead(head, Counter(to_backend));
  }
  void OnRequestData(std::span<const uint8_t> data) override {
    client.EncodeData(data, Counter(to_backend));
  }
  void OnRequestTrailers(HeaderList& trailers) override {
    FilterTrailers(trailers);
    client.EncodeTrailers(trailers, Counter(to_backend));
  }
  void OnRequestEnd() override { client.EncodeEnd(Counter(to_backend)); }

  void OnInterim(ResponseHead& head) override { server.EncodeInterim(head, Counter(to_client)); }
  void OnResponseHead(ResponseHead& head) override {
    PrepareForClient(head);
    server.EncodeHead(head, Counter(to_client));
  }
  void OnResponseData(std::span<const uint8_t> data) override {
    server.EncodeData(data, Counter(to_client));
  }
  void OnResponseTrailers(HeaderList& trailers) override {
    server.EncodeTrailers(trailers, Counter(to_client));
  }
  void OnResponseEnd() override { server.EncodeEnd(Counter(to_client)); }

  IdentityHeaders identity{config::IdentityProfile::kIngressNginx,
                           {.verify = ClientIdentityView::Verify::kSuccess,
                            .subject = "CN=a client with a name,O=Example",
                            .issuer = "CN=a certificate authority"}};
  size_t to_backend = 0;
  size_t to_client = 0;
  Http1ServerCodec server;
  Http1ClientCodec client;
};

TEST(Http1Allocation, WarmExchangesAllocateNothing) {
  constexpr std::string_view kRequest =
      "POST /a/path/that/is/longer/than/a/small/string?with=a&query HTTP/1.1\r\n"
      "Host: client.auth.localhost:8443\r\n"
      "User-Agent: curl/8.0 (x86_64-pc-linux-gnu)\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
      "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nssl-client-verify: SUCCESS\r\n"
      "X-Forwarded-For: 10.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-Checksum-Of-The-Body: 900150983cd24fb0\r\n\r\n";
  constexpr std::string_view kResponse =
      "HTTP/1.1 103 Early Hints\r\nLink: </style-sheet-of-the-page.css>; rel=preload\r\n\r\n"
      "HTTP/1.1 200 OK with a reason that is longer than usual\r\nContent-Type: text/html\r\n"
      "Set-Cookie: session=0123456789abcdef0123456789abcdef; Secure\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer-Field: its value\r\n\r\n";
  Proxy proxy;
  size_t warm = 0;
  for (int exchange = 0; exchange < 100; ++exchange) {
    if (exchange == 3) warm = allocations;
    size_t consumed = 0;
    ASSERT_EQ(proxy.server.Feed(Bytes(kRequest), consumed), FeedResult::kMessageEnd);
    ASSERT_EQ(proxy.client.Feed(Bytes(kResponse), consumed), FeedResult::kMessageEnd);
    ASSERT_TRUE(proxy.server.reusable());
    ASSERT_TRUE(proxy.client.reusable());
    proxy.server.NextRequest();
    proxy.client.NextExchange(proxy);
  }
  EXPECT_GT(warm, 0u) << "the counter works";
  EXPECT_EQ(allocations, warm);
  EXPECT_GT(proxy.to_backend, 100 * 300u);
  EXPECT_GT(proxy.to_client, 100 * 200u);
}

}  // namespace
}  // namespace portcullis::http
