// The label values and bounds that shards, snapshots and the collector agree on. Constant data, any
// thread. Reasons are given by name at start: this folder does not know the taxonomy they come
// from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::metrics {

// Fixed sizes, so that a shard is one piece of memory and a label set can never outgrow it.
inline constexpr size_t kMaxListeners = 64;   // names ever seen by one process, reloads included
inline constexpr size_t kMaxBackends = 1024;  // likewise
inline constexpr size_t kMaxReasons = 64;

// How a handshake ended. Rejected: refused for what the client is or sent, with a reason. Failed:
// it broke without a judgement (peer gone, timeout, our own error).
enum class HandshakeResult : uint8_t { kOk, kRejected, kFailed };
inline constexpr std::array<std::string_view, 3> kHandshakeResultNames = {"ok", "rejected",
                                                                          "failed"};

// The negotiated version; unknown until the ServerHello.
enum class TlsVersion : uint8_t { kUnknown, kTls12, kTls13 };
inline constexpr std::array<std::string_view, 3> kTlsVersionNames = {"unknown", "1.2", "1.3"};

// What became of a client's chain. None: no certificate was sent.
enum class ChainVerdict : uint8_t { kAccepted, kRejected, kNone };
inline constexpr std::array<std::string_view, 3> kChainVerdictNames = {"accepted", "rejected",
                                                                       "none"};

enum class Side : uint8_t { kClient, kBackend };
inline constexpr std::array<std::string_view, 2> kSideNames = {"client", "backend"};

// The server's private keys: which library signs, on which thread, and what came of it. Abandoned:
// the handshake ended before its signature was there.
inline constexpr std::array<std::string_view, 2> kKeyProviderNames = {"builtin", "system"};
enum class SigningThread : uint8_t { kWorker, kHelper };
inline constexpr std::array<std::string_view, 2> kSigningThreadNames = {"worker", "helper"};
enum class KeyResult : uint8_t { kOk, kFailed, kAbandoned };
inline constexpr std::array<std::string_view, 3> kKeyResultNames = {"ok", "failed", "abandoned"};

// One combination of the three, as an index.
inline constexpr size_t kKeyOperationKinds =
    kKeyProviderNames.size() * kSigningThreadNames.size() * kKeyResultNames.size();
constexpr size_t KeyOperationKind(size_t provider, SigningThread thread, KeyResult result) {
  return (provider * kSigningThreadNames.size() + static_cast<size_t>(thread)) *
             kKeyResultNames.size() +
         static_cast<size_t>(result);
}

// As seen from here: kReceive are bytes that side sent to us.
enum class Direction : uint8_t { kReceive, kSend };
inline constexpr std::array<std::string_view, 2> kDirectionNames = {"rx", "tx"};

enum class ConnectResult : uint8_t { kOk, kRefused, kTimeout, kError };
inline constexpr std::array<std::string_view, 4> kConnectResultNames = {"ok", "refused", "timeout",
                                                                        "error"};

// What came of a question to an OCSP responder about a client.
enum class OcspResult : uint8_t { kGood, kRevoked, kUnavailable };
inline constexpr std::array<std::string_view, 3> kOcspResultNames = {"good", "revoked",
                                                                     "unavailable"};

// Classes of HTTP status codes; index = code / 100 - 1.
inline constexpr std::array<std::string_view, 5> kCodeClassNames = {"1xx", "2xx", "3xx", "4xx",
                                                                    "5xx"};

inline constexpr size_t kHandshakeKinds =
    kHandshakeResultNames.size() * kTlsVersionNames.size() * 2;  // and resumed or not

// HandshakeKind numbers a combination of the handshake labels, below kHandshakeKinds.
[[nodiscard]] constexpr size_t HandshakeKind(HandshakeResult result, TlsVersion version,
                                             bool resumed) {
  return (static_cast<size_t>(result) * kTlsVersionNames.size() + static_cast<size_t>(version)) *
             2 +
         (resumed ? 1 : 0);
}

// A reason for refusing a client, as the shards are told of it.
struct Reason {
  std::string name;                 // the label, e.g. "expired"
  bool judges_certificate = false;  // a verdict on the client's chain, not on the handshake
};

// Reasons in the order of the taxonomy's enum; index 0 means "none" and is never counted as a
// rejection. At most kMaxReasons.
using Reasons = std::vector<Reason>;

}  // namespace portcullis::metrics
