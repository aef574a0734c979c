// Names (X.501) made comparable and hashable: the form in which two names are the same bytes
// exactly if X509_NAME_cmp holds them equal (RFC 5280 7.1: case and runs of spaces do not matter).
// Any thread; keeps nothing.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <string>

#include "tls/der.h"

namespace portcullis::tls {

// CanonicalName returns the comparable form; of two different names never the same. A value that
// does not decode stands for itself.
[[nodiscard]] std::string CanonicalName(const X509_NAME& name);

// ParseName reads the DER of a Name; null when it does not parse to its end.
[[nodiscard]] bssl::UniquePtr<X509_NAME> ParseName(Bytes der);

}  // namespace portcullis::tls
