// Fuzzes the embedded backend's HTTP/1: the parser, and the session on top of it. The first byte
// says how the rest is cut; however that is, the parser must find the same requests, and the
// session must end or wait, and hold little.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "core/server/commands/http_session.h"
#include "core/server/commands/request_parser.h"

namespace portcullis::server {
namespace {

class Recorder : public RequestEvents {
 public:
  void OnHead(const BackendRequest& request) override {
    text += request.method + ' ' + request.target + '\n';
    for (const auto& [name, value] : request.headers) text += name + '=' + value + '\n';
  }
  void OnBody(std::span<const uint8_t> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void OnEnd() override { text += "\nend\n"; }

  std::string text;
};

std::string Parse(std::span<const uint8_t> input, size_t piece) {
  Recorder recorder;
  RequestParser parser(recorder);
  while (!input.empty()) {
    size_t taken = 0;
    const RequestParser::Result result =
        parser.Feed(input.first(std::min(piece, input.size())), taken);
    input = input.subspan(taken);
    if (result == RequestParser::Result::kEnd) {
      parser.Next();
    } else if (result != RequestParser::Result::kNeedMore) {
      return recorder.text + "bad";
    }
  }
  return recorder.text;
}

void Converse(std::span<const uint8_t> input, size_t piece) {
  constexpr size_t kLimit = 4096;
  HttpSession session;
  std::string out;
  // Each turn feeds something or is one of few: a request for many bytes is not followed to its
  // end.
  for (int idle = 0; idle < 8 && !session.finished();) {
    const size_t taken =
        session.wants_input() ? session.Feed(input.first(std::min(piece, input.size()))) : 0;
    input = input.subspan(taken);
    idle = taken > 0 ? 0 : idle + 1;
    out.clear();
    session.Produce(out, kLimit, Session::Clock::time_point());
    if (out.size() > kLimit + HttpSession::kHeldBytes + 2 * RequestParser::kMaxHeadBytes * 6)
      std::abort();
  }
  if (!session.finished()) session.FeedEnd();
}

}  // namespace
}  // namespace portcullis::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using portcullis::server::Converse;
  using portcullis::server::Parse;
  if (size == 0) return 0;
  const size_t piece = data[0] + size_t{1};
  const std::span<const uint8_t> input(data + 1, size - 1);
  if (Parse(input, piece) != Parse(input, input.size())) std::abort();
  Converse(input, piece);
  return 0;
}
