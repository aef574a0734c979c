// How the library's verification results (X509_V_ERR_*) read in our taxonomy, and as the text that
// OpenSSL 3 gives them: what nginx puts behind `FAILED:` in ssl-client-verify. Constant data, any
// thread.
#pragma once

#include <string_view>

#include "tls/rejection.h"

namespace portcullis::tls {

// FromX509Error returns the reason for a verification error; kNone for X509_V_OK.
[[nodiscard]] Rejection FromX509Error(int error);

// X509ErrorText returns e.g. "certificate has expired"; "ok" for X509_V_OK.
[[nodiscard]] std::string_view X509ErrorText(int error);

// ToX509Error returns the error that stands for a reason which our own checks found, so that every
// rejected certificate has an `FAILED:` text; 0 for reasons that are no verdict on a certificate.
[[nodiscard]] int ToX509Error(Rejection reason);

}  // namespace portcullis::tls
