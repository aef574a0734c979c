#include "core/log/record_line.h"

#include <array>
#include <string_view>

#include "core/log/line_writer.h"
#include "io/check.h"

namespace portcullis::log {
namespace {

// A text field: its key, where it is, and the longest its escaped value may get.
struct TextField {
  std::string_view key;
  std::string_view ConnectionRecord::* value;
  size_t max_bytes;
};

using R = ConnectionRecord;
constexpr TextField kConnectionFields[] = {
    {"listener", &R::listener, 256}, {"peer", &R::peer, 128},  {"local", &R::local, 128},
    {"sni", &R::sni, 512},           {"host", &R::host, 256},  {"version", &R::version, 16},
    {"cipher", &R::cipher, 64},      {"group", &R::group, 64}, {"alpn", &R::alpn, 64},
};
constexpr TextField kClientFields[] = {
    {"client_subject", &R::client_subject, 1536},
    {"client_issuer", &R::client_issuer, 1536},
    {"client_serial", &R::client_serial, 128},
};
constexpr TextField kRefusalFields[] = {
    {"reason", &R::reason, 64},
    {"detail", &R::detail, 512},
    {"x509_error", &R::x509_error, 256},
    {"failed_subject", &R::failed_subject, 1536},
};
constexpr TextField kEndFields[] = {
    {"backend", &R::backend, 256},
    {"close", &R::close, 64},
};

// The most that text fields can come to: ,"key":"value"
template <size_t N>
constexpr size_t MaxBytes(const TextField (&fields)[N]) {
  size_t bytes = 0;
  for (const TextField& field : fields) bytes += field.key.size() + field.max_bytes + 6;
  return bytes;
}

// A key and a number or flag: none takes more. There are fewer than 20 of them.
constexpr size_t kMaxNumberField = 48;
constexpr size_t kMaxSha256Field = 96;
static_assert(MaxBytes(kConnectionFields) + MaxBytes(kClientFields) + MaxBytes(kRefusalFields) +
                      MaxBytes(kEndFields) + 20 * kMaxNumberField + kMaxSha256Field + 16 <=
                  kMaxLineBytes,
              "the longest line must fit, so that no record can overflow it");

template <size_t N>
void AddTexts(LineWriter& line, const ConnectionRecord& record, const TextField (&fields)[N]) {
  for (const TextField& field : fields) {
    const std::string_view value = record.*field.value;
    if (!value.empty()) line.String(field.key, value, field.max_bytes);
  }
}

void AddRefusal(LineWriter& line, const ConnectionRecord& record) {
  AddTexts(line, record, kRefusalFields);
  if (record.failed_depth >= 0)
    line.Unsigned("failed_depth", static_cast<uint64_t>(record.failed_depth));
  if (record.alert_sent >= 0) line.Unsigned("alert_sent", static_cast<uint64_t>(record.alert_sent));
  if (record.alert_received >= 0) {
    line.Unsigned("alert_received", static_cast<uint64_t>(record.alert_received));
  }
}

void AddTraffic(LineWriter& line, const ConnectionRecord& record) {
  AddTexts(line, record, kEndFields);
  if (record.requests > 0) line.Unsigned("requests", record.requests);
  line.Unsigned("client_rx_bytes", record.client_rx_bytes);
  line.Unsigned("client_tx_bytes", record.client_tx_bytes);
  line.Unsigned("backend_rx_bytes", record.backend_rx_bytes);
  line.Unsigned("backend_tx_bytes", record.backend_tx_bytes);
  if (record.duration_ms >= 0) line.Milliseconds("duration_ms", record.duration_ms);
}

}  // namespace

size_t RenderRecord(const ConnectionRecord& record, std::span<char, kMaxLineBytes> out) {
  CHECK(record.client_sha256.size() <= 32);
  LineWriter line(out);
  line.Time("time", record.time_ns);
  line.String("event", record.event == Event::kRefused ? "refused" : "connection", 16);
  line.Unsigned("worker", record.worker);
  AddTexts(line, record, kConnectionFields);
  line.Bool("resumed", record.resumed);
  if (record.handshake_ms >= 0) line.Milliseconds("handshake_ms", record.handshake_ms);
  AddTexts(line, record, kClientFields);
  if (!record.client_sha256.empty()) line.Hex("client_sha256", record.client_sha256);
  AddRefusal(line, record);
  AddTraffic(line, record);
  if (line.cut()) line.Bool("truncated", true);
  return line.Finish();
}

}  // namespace portcullis::log
