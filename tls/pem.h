// PEM text to DER blocks and keys, with errors that name the file. Control plane only; any thread.
#pragma once

#include <openssl/base.h>
#include <openssl/evp.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace portcullis::tls {

enum class PemKind : uint8_t { kCertificate, kCrl };

using Der = std::vector<uint8_t>;

// ReadPem returns the DER of every block of `kind` in `text`, in order; other blocks (keys,
// parameters) are passed over. InvalidArgument, naming `origin`, when a block is damaged or when
// there is none of the kind.
absl::StatusOr<std::vector<Der>> ReadPem(std::string_view text, PemKind kind,
                                         std::string_view origin);

// ReadPrivateKey returns the first private key in `text` (PKCS#8, or the RSA and EC forms of old).
// InvalidArgument, naming `origin`, when there is none, or when it is encrypted: nobody is there to
// type a password.
absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ReadPrivateKey(std::string_view text,
                                                         std::string_view origin);

// LibraryError returns InvalidArgument "origin: what: <the library's reason>" and clears the
// library's error queue.
[[nodiscard]] absl::Status LibraryError(std::string_view origin, std::string_view what);

}  // namespace portcullis::tls
