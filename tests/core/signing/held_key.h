// HeldKey: a signing key that a test holds back: every signature waits for a Release, and is one
// byte long. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <semaphore>
#include <span>

#include "tls/signing_key.h"

namespace portcullis::signing {

class HeldKey final : public tls::SigningKey {
 public:
  // Release lets `count` signatures be made; WaitBegun waits until one more has begun.
  void Release(int count) const { released_.release(count); }
  void WaitBegun() const { begun_.acquire(); }

  [[nodiscard]] bool Sign(uint16_t /*scheme*/, std::span<const uint8_t> /*input*/,
                          std::span<uint8_t> out, size_t& size) const override {
    begun_.release();
    released_.acquire();
    out[0] = 1;
    size = 1;
    return true;
  }
  [[nodiscard]] size_t max_signature_bytes() const override { return 1; }
  [[nodiscard]] tls::KeyProvider provider() const override { return tls::KeyProvider::kBuiltin; }

 private:
  mutable std::counting_semaphore<> begun_{0};
  mutable std::counting_semaphore<> released_{0};
};

}  // namespace portcullis::signing
