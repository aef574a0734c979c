// SigningKey: a server's private key, as something that signs, whichever library does the
// arithmetic. SigningJob: one signature to be made, complete in itself, so that it can be made on
// another thread and outlive the connection and the configuration that it is for.
//
// A key is immutable: any thread, several at a time. Engines find theirs through the context of
// their virtual host (AttachKey), whose key is its worker's own; shared ownership is for jobs.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace portcullis::tls {

enum class KeyProvider : uint8_t {
  kBuiltin,  // BoringSSL
  kSystem,   // the system's libcrypto, see system_libcrypto.h; RSA only
};

class SigningKey {
 public:
  virtual ~SigningKey() = default;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  // Sign signs `input` (the message, not its hash) under `scheme`, a SignatureScheme of RFC 8446
  // 4.2.3. False when the key cannot, or `out` has less room than max_signature_bytes().
  [[nodiscard]] virtual bool Sign(uint16_t scheme, std::span<const uint8_t> input,
                                  std::span<uint8_t> out, size_t& size) const = 0;
  [[nodiscard]] virtual size_t max_signature_bytes() const = 0;
  [[nodiscard]] virtual KeyProvider provider() const = 0;

 protected:
  SigningKey() = default;
};

// MakeBuiltinKey: signs with BoringSSL. `key` is shared by reference count.
[[nodiscard]] std::shared_ptr<const SigningKey> MakeBuiltinKey(EVP_PKEY* key);

// IsSignatureOf tells whether `signature` is `key`'s of `input` under `scheme`.
[[nodiscard]] bool IsSignatureOf(EVP_PKEY* key, uint16_t scheme, std::span<const uint8_t> input,
                                 std::span<const uint8_t> signature);

struct SigningJob {
  std::shared_ptr<const SigningKey> key;
  uint16_t scheme = 0;
  std::vector<uint8_t> input;

  // Run makes the signature; empty when it cannot be made.
  [[nodiscard]] std::vector<uint8_t> Run() const;
};

// What a context signs with.
struct AttachedKey {
  std::shared_ptr<const SigningKey> key;  // not null
  bool on_helper = false;                 // signing takes long enough to be done beside the worker
};

// AttachKey gives `context` its key, which it owns until it is freed. Once a context.
void AttachKey(SSL_CTX* context, AttachedKey key);
// FindKey returns the key that was attached; null when none was.
[[nodiscard]] const AttachedKey* FindKey(const SSL_CTX* context);

}  // namespace portcullis::tls
