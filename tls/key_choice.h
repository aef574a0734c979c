// The choice of what a server's key signs with and where: by what a signature costs on this
// machine, measured once a process and size of key. Control plane only: measuring takes up to 20 ms
// a size, and more for keys beyond RSA-4096. Any thread; callers wait for one another.
#pragma once

#include <openssl/evp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "tls/signing_key.h"

namespace portcullis::tls {

enum class KeyProviderWish : uint8_t {
  kAuto,     // the system's libcrypto for RSA keys, where it is there and measurably faster
  kBuiltin,  // BoringSSL; the system's is not even loaded
  kSystem,   // the system's for RSA keys, or an error
};
enum class HelperWish : uint8_t {
  kAuto,  // RSA keys whose signature costs more than kHelperPays
  kAlways,
  kNever,
};

struct SigningWish {
  KeyProviderWish provider = KeyProviderWish::kAuto;
  HelperWish helper = HelperWish::kAuto;
};

struct SigningChoice {
  KeyProvider provider = KeyProvider::kBuiltin;
  bool on_helper = false;
  std::string report = {};  // for the operator: the figures, when they are new; else empty
};

// Above this, a signature made on the worker is felt by its other connections.
inline constexpr std::chrono::microseconds kHelperPays{1000};

// What one signature costs; nothing where the provider is not there or does not sign.
struct SigningCosts {
  std::optional<std::chrono::nanoseconds> builtin;
  std::optional<std::chrono::nanoseconds> system;
};

// PrefersSystem: only where it saves a tenth at least.
[[nodiscard]] bool PrefersSystem(const SigningCosts& costs);

// MeasureSigning times `key`: the best of several signatures, after one that warms it up; nothing
// when it does not sign. Takes 10 ms, or three signatures where those take longer.
[[nodiscard]] std::optional<std::chrono::nanoseconds> MeasureSigning(const SigningKey& key);

// ChooseSigning decides for `key`. Before the system's libcrypto is trusted with it, a signature of
// its is checked by BoringSSL. Unavailable, saying why, when it is asked for and cannot be used.
absl::StatusOr<SigningChoice> ChooseSigning(EVP_PKEY* key, const SigningWish& wish);

// MakeSigningKey makes a key of the chosen provider.
absl::StatusOr<std::shared_ptr<const SigningKey>> MakeSigningKey(EVP_PKEY* key,
                                                                 KeyProvider provider);

}  // namespace portcullis::tls
