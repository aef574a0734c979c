// How the library's errors read in our taxonomy, where it is not the verdict on a certificate that
// decides. Constant data, any thread.
#pragma once

#include <cstdint>

#include "tls/rejection.h"

namespace portcullis::tls {

// How far a handshake had come when it failed: some errors mean one thing early and another late.
struct FailureStage {
  bool hello_parsed = false;  // the ClientHello was understood
  bool awaiting_certificate =
      false;  // the client was asked for its certificate and has not been judged yet
};

// The ends of the library's error queue: what went wrong first, and what the handshake made of it.
// 0 where the queue is empty.
struct LibraryErrors {
  uint32_t first = 0;  // ERR_peek_error
  uint32_t last = 0;   // ERR_peek_last_error
};

// FromLibraryError maps an error; of an empty queue only the alert sent tells more (`alert_sent`, 0
// for none).
[[nodiscard]] Rejection FromLibraryError(const LibraryErrors& errors, uint8_t alert_sent,
                                         const FailureStage& stage);

}  // namespace portcullis::tls
