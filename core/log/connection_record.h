// ConnectionRecord: everything one line of the connection log says about a connection, or about one
// that was refused. Plain data made by a worker when the connection ends and only borrowed: the
// views need to live until LogRing::Write returns. Holds no key, no ticket and no payload, and must
// never.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace portcullis::log {

// A connection was served; or was refused before it could be (in the handshake, or by a page after
// it).
enum class Event : uint8_t { kConnection, kRefused };

// Empty views, zero where noted and negative numbers mean "does not apply" and are left out of the
// line.
struct ConnectionRecord {
  int64_t time_ns = 0;  // since the epoch: when the connection was accepted
  Event event = Event::kConnection;
  std::string_view listener;  // its name
  uint32_t worker = 0;        // index
  std::string_view peer;      // "192.0.2.1:50000", "[2001:db8::1]:50000"
  std::string_view local;     // likewise

  // The handshake, as far as it came.
  std::string_view sni;      // as the client sent it
  std::string_view host;     // the virtual host chosen, its name
  std::string_view version;  // "TLSv1.2", "TLSv1.3"
  std::string_view cipher;
  std::string_view group;
  std::string_view alpn;
  bool resumed = false;
  double handshake_ms = -1;  // from accept to the handshake's end

  // Who the client is, or claimed to be.
  std::string_view client_subject;         // RFC 2253
  std::string_view client_issuer;          // RFC 2253
  std::string_view client_serial;          // hex
  std::span<const uint8_t> client_sha256;  // of the leaf; 32 bytes or empty

  // Why it was refused.
  std::string_view reason;  // the rejection's name
  std::string_view detail;  // our words on it
  int alert_sent = -1;      // TLS alert descriptions, 0..255
  int alert_received = -1;
  std::string_view x509_error;      // the verifier's text
  std::string_view failed_subject;  // of the certificate that failed
  int failed_depth = -1;            // its place in the path, leaf = 0

  // What happened then.
  std::string_view backend;      // the target connected to
  uint64_t requests = 0;         // HTTP exchanges; 0 is left out
  uint64_t client_rx_bytes = 0;  // TLS framing excluded, also below
  uint64_t client_tx_bytes = 0;
  uint64_t backend_rx_bytes = 0;
  uint64_t backend_tx_bytes = 0;
  double duration_ms = -1;  // from accept to close
  std::string_view close;   // who or what ended it: "client", "backend", "idle", "drain", ...
};

}  // namespace portcullis::log
