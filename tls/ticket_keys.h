// TicketKeys: session-ticket protection with keys derived from one secret by time slot, so that
// every worker (and every replica given the same secret) seals and opens alike without talking. The
// current slot's key seals; current, previous and next open. AES-256-GCM, key = HKDF-SHA256(secret,
// "portcullis ticket" || slot).
//
// TicketSecret is immutable and shared; TicketKeys is one worker's cache of derived keys. Keys
// never reach logs.
#pragma once

#include <openssl/aead.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace portcullis::tls {

struct TicketSecret {
  std::array<uint8_t, 32> bytes{};
  uint32_t slot_seconds = 3600;

  static std::shared_ptr<const TicketSecret> Random(uint32_t slot_seconds);
  // FromBytes makes the secret that `bytes`, at least 32 of them, stand for: the same everywhere.
  static absl::StatusOr<std::shared_ptr<const TicketSecret>> FromBytes(std::string_view bytes,
                                                                       uint32_t slot_seconds);
  ~TicketSecret();  // wipes
};

class TicketKeys {
 public:
  static constexpr size_t kOverhead = 8 + 12 + 16;  // slot, nonce, tag

  explicit TicketKeys(std::shared_ptr<const TicketSecret> secret);
  ~TicketKeys();

  // Seal writes slot || nonce || AEAD(plain) into `out` (>= plain.size() + kOverhead); `context` is
  // authenticated. Returns the bytes written, 0 on failure.
  [[nodiscard]] size_t Seal(std::span<uint8_t> out, std::span<const uint8_t> plain,
                            std::span<const uint8_t> context, int64_t now);
  // Open returns plaintext bytes written into `out`, 0 when the ticket is not ours, too old, or
  // tampered with.
  [[nodiscard]] size_t Open(std::span<uint8_t> out, std::span<const uint8_t> ticket,
                            std::span<const uint8_t> context, int64_t now);

 private:
  struct Slot;
  [[nodiscard]] uint64_t SlotAt(int64_t now) const;
  [[nodiscard]] EVP_AEAD_CTX* KeyFor(uint64_t slot);

  std::shared_ptr<const TicketSecret> secret_;
  std::array<std::unique_ptr<Slot>, 3> cache_;
};

}  // namespace portcullis::tls
