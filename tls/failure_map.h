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

// FromLibraryError maps the first error of the queue (ERR_peek_error); 0 is an empty queue, where
// only the alert sent tells more (`alert_sent`, 0 for none).
[[nodiscard]] Rejection FromLibraryError(uint32_t packed_error, uint8_t alert_sent,
                                         const FailureStage& stage);

}  // namespace portcullis::tls
