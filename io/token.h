// Token: what a submission carries through the kernel in `user_data`, and what its completion is
// routed by.
//
// Layout, high to low: op (8 bits) | generation (24 bits) | slot (32 bits). The op names the
// operation and the slab that the slot belongs to; the generation makes a completion for a slot
// that has been reused since visible (it is counted and dropped). Plain values, any thread.
#pragma once

#include <cstdint>

namespace portcullis::io {

// What kind of object a completion belongs to; each kind has a slab (or a small table) of its own.
enum class Owner : uint8_t { kWorker = 0, kListener = 1, kDownstream = 2, kUpstream = 3 };

// The operations that a worker submits. A recv's owner implies its provided-buffer group.
enum class Op : uint8_t { kAccept = 0, kRecv = 1, kSend = 2, kConnect = 3, kCancel = 4, kWake = 5 };

inline constexpr uint32_t kGenerationMask = 0xFFFFFF;

struct Token {
  Owner owner = Owner::kWorker;
  Op op = Op::kWake;
  uint32_t generation = 0;  // 24 bits
  uint32_t slot = 0;

  [[nodiscard]] constexpr uint64_t Encode() const {
    const uint64_t tag =
        static_cast<uint64_t>(static_cast<uint8_t>(owner) << 4 | static_cast<uint8_t>(op));
    return tag << 56 | static_cast<uint64_t>(generation & kGenerationMask) << 32 | slot;
  }

  [[nodiscard]] static constexpr Token Decode(uint64_t user_data) {
    const auto tag = static_cast<uint8_t>(user_data >> 56);
    return Token{.owner = static_cast<Owner>(tag >> 4),
                 .op = static_cast<Op>(tag & 0xF),
                 .generation = static_cast<uint32_t>(user_data >> 32) & kGenerationMask,
                 .slot = static_cast<uint32_t>(user_data)};
  }

  friend constexpr bool operator==(const Token&, const Token&) = default;
};

}  // namespace portcullis::io
