#include "tls/span_bio.h"

#include <algorithm>
#include <cstring>

#include "tls/check.h"

namespace portcullis::tls {
namespace {

SpanIo& IoOf(BIO* bio) { return *static_cast<SpanIo*>(BIO_get_data(bio)); }

int Read(BIO* bio, char* out, int capacity) {
  SpanIo& io = IoOf(bio);
  TLS_CHECK(io.input != nullptr && capacity > 0);
  BIO_clear_retry_flags(bio);
  if (io.input->empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t size = std::min(io.input->size(), static_cast<size_t>(capacity));
  std::memcpy(out, io.input->data(), size);
  *io.input = io.input->subspan(size);
  if (io.num_first < io.first.size()) [[unlikely]] {
    const size_t keep = std::min(size, io.first.size() - io.num_first);
    std::memcpy(io.first.data() + io.num_first, out, keep);
    io.num_first = static_cast<uint8_t>(io.num_first + keep);
  }
  const size_t fresh = std::min(size, io.last.size());
  std::memmove(io.last.data(), io.last.data() + fresh, io.last.size() - fresh);
  std::memcpy(io.last.data() + io.last.size() - fresh, out + size - fresh, fresh);
  return static_cast<int>(size);
}

int Write(BIO* bio, const char* bytes, int size) {
  const SpanIo& io = IoOf(bio);
  TLS_CHECK(io.sink.append != nullptr && size >= 0);
  BIO_clear_retry_flags(bio);
  if (!io.SpeaksHttp()) {
    io.sink.append(io.sink.context, reinterpret_cast<const uint8_t*>(bytes),
                   static_cast<size_t>(size));
  }
  return size;
}

long Control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int Create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* SpanMethod() {
  // Made once and kept for the life of the process.
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "span");
    TLS_CHECK(method != nullptr);
    BIO_meth_set_read(method, Read);
    BIO_meth_set_write(method, Write);
    BIO_meth_set_ctrl(method, Control);
    BIO_meth_set_create(method, Create);
    return method;
  }();
  return kMethod;
}

bool IsUpper(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }

}  // namespace

bool SpanIo::SpeaksHttp() const {
  // A method in capitals, whole or in part: "GET /", "PATCH", "PRI *". A TLS record begins with a
  // byte below 0x18, an SSLv2 one with a byte above 0x7f.
  if (num_first < first.size()) return false;
  const auto* const end = std::find_if_not(first.begin(), first.end(), IsUpper);
  return end - first.begin() >= 3 && (end == first.end() || *end == ' ');
}

int SpanIo::LastClearAlert() const {
  constexpr uint8_t kAlertType = 21;
  constexpr uint8_t kFatal = 2;
  const bool is_alert =
      last[0] == kAlertType && last[1] == 3 && last[3] == 0 && last[4] == 2 && last[5] == kFatal;
  return is_alert ? last[6] : -1;
}

bssl::UniquePtr<BIO> NewSpanBio(SpanIo* io) {
  bssl::UniquePtr<BIO> bio(BIO_new(SpanMethod()));
  TLS_CHECK(bio != nullptr);
  BIO_set_data(bio.get(), io);
  return bio;
}

}  // namespace portcullis::tls
