// What HTTP/1 costs a request on its way through: parsing the client's head, making it fit for the
// backend, writing it anew; and the response's head back. Codecs are kept, as on a connection.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <span>
#include <string>

#include "bench/micro/report.h"
#include "core/http/header_rules.h"
#include "core/http/http1_client_codec.h"
#include "core/http/http1_server_codec.h"

namespace portcullis::bench {
namespace {

constexpr std::string_view kSmallRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kBrowserRequest =
    "GET /assets/app/main.css?version=20270115 HTTP/1.1\r\nHost: app.example.com:8443\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0\r\n"
    "Accept: text/css,*/*;q=0.1\r\nAccept-Language: en-GB,en;q=0.8,de;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n"
    "Referer: https://app.example.com:8443/dashboard\r\n"
    "Cookie: session=3f8a1c5e9b7d2046a1f3c5e7092b4d6f; theme=dark; consent=yes\r\n"
    "Sec-Fetch-Dest: style\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: same-origin\r\n"
    "Priority: u=2\r\nX-Forwarded-For: 10.0.0.1\r\nssl-client-verify: SUCCESS\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
    "Cache-Control: no-store\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nServer: app\r\n\r\nhello";

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

http::ByteSink Into(std::string& text) {
  return {&text, [](void* context, const uint8_t* data, size_t size) {
            static_cast<std::string*>(context)->append(reinterpret_cast<const char*>(data), size);
          }};
}

struct RequestSink final : http::RequestEvents {
  void OnRequestHead(http::RequestHead&) override {}
  void OnRequestData(std::span<const uint8_t>) override {}
  void OnRequestTrailers(http::HeaderList&) override {}
  void OnRequestEnd() override {}
};

struct ResponseSink final : http::ResponseEvents {
  void OnInterim(http::ResponseHead&) override {}
  void OnResponseHead(http::ResponseHead&) override {}
  void OnResponseData(std::span<const uint8_t>) override {}
  void OnResponseTrailers(http::HeaderList&) override {}
  void OnResponseEnd() override {}
};

// One exchange's worth of the client's side: the request in, an empty answer out.
bool Serve(http::Http1ServerCodec& codec, std::string_view request, std::string& out) {
  size_t consumed = 0;
  const bool whole = codec.Feed(Bytes(request), consumed) == http::FeedResult::kMessageEnd;
  http::ResponseHead response;
  response.status = 204;
  codec.EncodeHead(response, Into(out));
  codec.EncodeEnd(Into(out));
  return whole && codec.reusable();
}

void ParseRequest(benchmark::State& state, std::string_view request) {
  RequestSink sink;
  http::Http1ServerCodec codec(http::Http1Limits{}, sink);
  std::string out;
  out.reserve(4096);
  if (!Serve(codec, request, out)) state.SkipWithError("the request was not taken");
  codec.NextRequest();
  const CountingScope counting(state);
  for (auto _ : state) {
    out.clear();
    if (!Serve(codec, request, out)) {
      state.SkipWithError("the request was not taken");
      return;
    }
    codec.NextRequest();
  }
}

// The head made fit for the backend and written, from a copy of what was parsed.
void RewriteRequest(benchmark::State& state, std::string_view request) {
  RequestSink sink;
  http::Http1ServerCodec codec(http::Http1Limits{}, sink);
  size_t consumed = 0;
  if (codec.Feed(Bytes(request), consumed) != http::FeedResult::kMessageEnd)
    state.SkipWithError("the request was not taken");
  const http::RequestRules rules{.context = {.client_ip = "192.0.2.7", .server_port = 8443}};
  ResponseSink answers;
  http::Http1ClientCodec backend(http::Http1Limits{}, answers);
  http::RequestHead head;
  std::string out;
  out.reserve(8192);
  const auto once = [&] {
    head = codec.head();
    http::PrepareForBackend(rules, head);
    out.clear();
    backend.EncodeRequestHead(head, Into(out));
    backend.EncodeEnd(Into(out));
    size_t taken = 0;
    const bool good = backend.Feed(Bytes(kResponse), taken) == http::FeedResult::kMessageEnd;
    backend.NextExchange(answers);
    return good;
  };
  if (!once()) state.SkipWithError("the response was not taken");
  const CountingScope counting(state);
  for (auto _ : state) {
    if (!once()) {
      state.SkipWithError("the response was not taken");
      return;
    }
  }
}

BENCHMARK_CAPTURE(ParseRequest, small, kSmallRequest);
BENCHMARK_CAPTURE(ParseRequest, browser, kBrowserRequest);
BENCHMARK_CAPTURE(RewriteRequest, small_and_response, kSmallRequest);
BENCHMARK_CAPTURE(RewriteRequest, browser_and_response, kBrowserRequest);

}  // namespace
}  // namespace portcullis::bench
