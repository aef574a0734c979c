// ContextSet: the library's contexts with a certificate in them, one for each credential and
// setting, shared by however many virtual hosts of a table are alike. What differs from host to
// host beyond that is set on the connection when its host is chosen (EngineCallbacks). Control
// plane only; the contexts then belong to the table's worker.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"

#include "tls/client_verifier.h"
#include "tls/credentials.h"
#include "tls/host_table.h"

namespace portcullis::tls {

// SetCommon gives a context what base contexts and those of hosts have in common.
void SetCommon(SSL_CTX* context);

// SetCiphers gives a context an operator's list. InvalidArgument quotes one that is not understood.
absl::Status SetCiphers(SSL_CTX* context, const std::string& ciphers);

class ContextSet {
 public:
  struct Entry {
    bssl::UniquePtr<SSL_CTX> context;
    KeyKind kind = KeyKind::kRsa;
    int64_t staple_until = INT64_MIN;  // until when the credential's OCSP response may be stapled
  };

  // Get returns the context for one of `spec`'s credentials, making it at the first call.
  // `verifier` (null: none) is whose CA names clients are told. InvalidArgument names the
  // credential's origin.
  absl::StatusOr<const Entry*> Get(const HostSpec& spec, const CredentialSpec& credential,
                                   const ClientVerifier* verifier);

 private:
  using Key = std::array<uint8_t, 32>;  // SHA-256 over everything that a context is made of
  std::map<Key, Entry> entries_;
};

}  // namespace portcullis::tls
