#include "core/server/commands/request_parser.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

#include "core/server/commands/text.h"
#include "io/check.h"

namespace portcullis::server {
namespace {

// RFC 9110 section 5.6.2.
bool IsToken(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kMarks.find(c) != kMarks.npos;
  });
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return c != '\t' && absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

bool AllOf(std::string_view text, bool (*accepts)(unsigned char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [accepts](char c) {
    return accepts(static_cast<unsigned char>(c));
  });
}

std::string_view TrimBlanks(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(Piece(a), Piece(b));
}

// Whether one of the comma-separated elements of the headers `name` is `token`.
bool HasElement(const BackendRequest& request, std::string_view name, std::string_view token) {
  for (const auto& [key, value] : request.headers) {
    if (!SameName(key, name)) continue;
    std::string_view rest = value;
    while (true) {
      const size_t comma = rest.find(',');
      if (SameName(TrimBlanks(rest.substr(0, comma)), token)) return true;
      if (comma == rest.npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

// Reads how the body is framed; false where two readers could disagree about it (RFC 9112
// section 6.3).
bool ReadFraming(BackendRequest& request) {
  const std::string* length = request.Find("content-length");
  const std::string* coding = request.Find("transfer-encoding");
  if (request.Count("content-length") > 1 || request.Count("transfer-encoding") > 1) return false;
  if (length != nullptr && coding != nullptr) return false;
  if (coding != nullptr) {
    request.chunked = true;
    return request.minor_version == 1 && SameName(*coding, "chunked");
  }
  if (length != nullptr) {
    uint64_t value = 0;
    if (!AllOf(*length, absl::ascii_isdigit) || !absl::SimpleAtoi(*length, &value)) return false;
    request.length = value;
  }
  return true;
}

}  // namespace

const std::string* BackendRequest::Find(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameName(key, name)) return &value;
  }
  return nullptr;
}

size_t BackendRequest::Count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [name](const auto& header) { return SameName(header.first, name); }));
}

RequestParser::Result RequestParser::Feed(std::span<const uint8_t> bytes, size_t& taken) {
  CHECK(phase_ != Phase::kEnded && phase_ != Phase::kFailed, "Feed without Next");
  taken = 0;
  while (taken < bytes.size()) {
    Result result = Result::kNeedMore;
    if (phase_ == Phase::kBody || phase_ == Phase::kChunkData) {
      TakeBody(bytes, taken);
      if (phase_ == Phase::kBody && body_left_ == 0) result = EndRequest();
    } else if (TakeLine(bytes, taken)) {
      result = OnLine();
      line_.clear();
    } else if (section_bytes_ > kMaxHeadBytes) {
      result = Fail(Result::kTooLarge);
    }
    if (result != Result::kNeedMore) return result;
  }
  return Result::kNeedMore;
}

void RequestParser::Next() {
  CHECK(phase_ == Phase::kEnded, "Next amid a request");
  phase_ = Phase::kRequestLine;
  section_bytes_ = 0;
}

RequestParser::Result RequestParser::Fail(Result result) {
  phase_ = Phase::kFailed;
  return result;
}

// Moves bytes to line_, up to and without the next LF. Returns whether it came.
bool RequestParser::TakeLine(std::span<const uint8_t> bytes, size_t& taken) {
  const uint8_t* begin = bytes.data() + taken;
  const size_t left = bytes.size() - taken;
  const void* end = std::memchr(begin, '\n', left);
  const size_t count =
      end == nullptr ? left : static_cast<size_t>(static_cast<const uint8_t*>(end) - begin);
  line_.append(reinterpret_cast<const char*>(begin), count);
  section_bytes_ += count;
  taken += count;
  if (end == nullptr) return false;
  ++taken;
  return true;
}

void RequestParser::TakeBody(std::span<const uint8_t> bytes, size_t& taken) {
  const size_t count = static_cast<size_t>(std::min<uint64_t>(bytes.size() - taken, body_left_));
  events_.OnBody(bytes.subspan(taken, count));
  taken += count;
  body_left_ -= count;
  if (phase_ == Phase::kChunkData && body_left_ == 0) phase_ = Phase::kChunkEnd;
}

RequestParser::Result RequestParser::OnLine() {
  if (section_bytes_ > kMaxHeadBytes) return Fail(Result::kTooLarge);
  // A line ends with CR LF; a CR anywhere else, or an LF alone, is for no reader to guess about.
  if (!line_.ends_with('\r')) return Fail(Result::kBad);
  line_.pop_back();
  if (HasControl(line_)) return Fail(Result::kBad);
  switch (phase_) {
    case Phase::kRequestLine:
      return OnRequestLine();
    case Phase::kHeaders:
      return line_.empty() ? OnHeadEnd() : OnHeaderLine();
    case Phase::kChunkSize:
      return OnChunkSizeLine();
    case Phase::kChunkEnd:
      if (!line_.empty()) return Fail(Result::kBad);
      phase_ = Phase::kChunkSize;
      section_bytes_ = 0;
      return Result::kNeedMore;
    case Phase::kTrailers:
      return line_.empty() ? EndRequest() : Result::kNeedMore;
    case Phase::kBody:
    case Phase::kChunkData:
    case Phase::kEnded:
    case Phase::kFailed:
      break;
  }
  CHECK(false, "a line where none is read");
  return Result::kBad;
}

RequestParser::Result RequestParser::OnRequestLine() {
  if (line_.empty())
    return Result::kNeedMore;  // RFC 9112 section 2.2: blank lines before it are ignored
  request_ = BackendRequest();
  const std::string_view line = line_;
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return Fail(Result::kBad);
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(method) || target.empty() || target.find_first_of(" \t") != target.npos ||
      (version != "HTTP/1.1" && version != "HTTP/1.0")) {
    return Fail(Result::kBad);
  }
  request_.method = std::string(method);
  request_.target = std::string(target);
  request_.minor_version = version.back() - '0';
  phase_ = Phase::kHeaders;
  return Result::kNeedMore;
}

RequestParser::Result RequestParser::OnHeaderLine() {
  const std::string_view line = line_;
  const size_t colon = line.find(':');
  if (colon == line.npos || !IsToken(line.substr(0, colon))) return Fail(Result::kBad);
  if (request_.headers.size() == kMaxHeaders) return Fail(Result::kTooLarge);
  request_.headers.emplace_back(line.substr(0, colon), TrimBlanks(line.substr(colon + 1)));
  return Result::kNeedMore;
}

RequestParser::Result RequestParser::OnHeadEnd() {
  const size_t num_hosts = request_.Count("host");
  if (num_hosts > 1 || (num_hosts == 0 && request_.minor_version == 1)) return Fail(Result::kBad);
  if (!ReadFraming(request_)) return Fail(Result::kBad);
  request_.keep_alive = request_.minor_version == 1
                            ? !HasElement(request_, "connection", "close")
                            : HasElement(request_, "connection", "keep-alive");
  section_bytes_ = 0;
  events_.OnHead(request_);
  body_left_ = request_.length.value_or(0);
  if (request_.chunked) {
    phase_ = Phase::kChunkSize;
    return Result::kNeedMore;
  }
  phase_ = Phase::kBody;
  return body_left_ == 0 ? EndRequest() : Result::kNeedMore;
}

RequestParser::Result RequestParser::OnChunkSizeLine() {
  const std::string_view line = line_;
  const std::string_view digits = line.substr(0, line.find(';'));
  if (digits.size() > 15 || !AllOf(digits, absl::ascii_isxdigit)) return Fail(Result::kBad);
  body_left_ = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), body_left_, 16);
  section_bytes_ = 0;
  phase_ = body_left_ == 0 ? Phase::kTrailers : Phase::kChunkData;
  return Result::kNeedMore;
}

RequestParser::Result RequestParser::EndRequest() {
  phase_ = Phase::kEnded;
  events_.OnEnd();
  return Result::kEnd;
}

}  // namespace portcullis::server
