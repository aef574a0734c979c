// Failure: how a connection or an exchange ended when it did not end well: a kind, which is a key
// of the results, and whether it is how a server refuses a client. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::bench {

// How far a connection had come.
enum class Stage : uint8_t { kConnect, kHandshake, kAnswer, kBody, kIdle };

struct Failure {
  std::string kind;      // "connect: ...", "alert: ...", "reset ...", "status: 503", ...
  bool refusal = false;  // what a client must meet whose certificate is not accepted
};

// The server's end of the stream came too early: "eof in the handshake", "short body".
[[nodiscard]] Failure AtEof(Stage stage);
// A socket operation failed with `error`, an errno: "connect: Connection refused",
// "reset before the answer".
[[nodiscard]] Failure AtError(Stage stage, int error);
[[nodiscard]] Failure AtTimeout(Stage stage);
// The server sent a fatal alert; `kind` names it.
[[nodiscard]] Failure AtAlert(std::string kind, int alert);
// The answer's status is not the one wanted. 400, 495 and 496 are what nginx's kind answers clients
// whose certificate it does not accept, 401 and 403 what others do.
[[nodiscard]] Failure AtStatus(uint16_t status);
// Anything else.
[[nodiscard]] Failure Other(std::string kind);

}  // namespace portcullis::bench
