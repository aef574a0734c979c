#include "tls/ticket_keys.h"

#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"

#include "tls/check.h"

namespace portcullis::tls {
namespace {

constexpr size_t kSlotBytes = 8;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kKeyBytes = 32;
static_assert(kSlotBytes + kNonceBytes + kTagBytes == TicketKeys::kOverhead);

void StoreBigEndian(uint8_t* out, uint64_t value) {
  for (size_t i = 0; i < kSlotBytes; ++i) {
    out[i] = static_cast<uint8_t>(value >> (8 * (kSlotBytes - 1 - i)));
  }
}

uint64_t LoadBigEndian(const uint8_t* in) {
  uint64_t value = 0;
  for (size_t i = 0; i < kSlotBytes; ++i) value = value << 8 | in[i];
  return value;
}

}  // namespace

std::shared_ptr<const TicketSecret> TicketSecret::Random(uint32_t slot_seconds) {
  auto secret = std::make_shared<TicketSecret>();
  RAND_bytes(secret->bytes.data(), secret->bytes.size());
  secret->slot_seconds = slot_seconds;
  return secret;
}

absl::StatusOr<std::shared_ptr<const TicketSecret>> TicketSecret::FromBytes(std::string_view bytes,
                                                                            uint32_t slot_seconds) {
  auto secret = std::make_shared<TicketSecret>();
  if (bytes.size() < secret->bytes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ticket secret of ", bytes.size(), " bytes; ", secret->bytes.size(),
                     " or more are needed, from a good source of randomness"));
  }
  if (std::all_of(bytes.begin(), bytes.end(), [&](char c) { return c == bytes.front(); })) {
    return absl::InvalidArgumentError("a ticket secret of one byte over and over");
  }
  static constexpr std::string_view kLabel = "portcullis ticket secret";
  size_t size = 0;
  if (HKDF_extract(secret->bytes.data(), &size, EVP_sha256(),
                   reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
                   reinterpret_cast<const uint8_t*>(kLabel.data()), kLabel.size()) != 1) {
    return absl::InternalError("the library cannot derive a ticket secret");
  }
  TLS_CHECK(size == secret->bytes.size());
  secret->slot_seconds = slot_seconds;
  return secret;
}

TicketSecret::~TicketSecret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }

struct TicketKeys::Slot {
  uint64_t number = 0;
  bssl::ScopedEVP_AEAD_CTX context;  // The library wipes it.
};

TicketKeys::TicketKeys(std::shared_ptr<const TicketSecret> secret) : secret_(std::move(secret)) {
  TLS_CHECK(secret_ != nullptr);
}

TicketKeys::~TicketKeys() = default;

uint64_t TicketKeys::SlotAt(int64_t now) const {
  return static_cast<uint64_t>(std::max<int64_t>(now, 0)) / std::max(secret_->slot_seconds, 1U);
}

EVP_AEAD_CTX* TicketKeys::KeyFor(uint64_t slot) {
  std::unique_ptr<Slot>& cached = cache_[slot % cache_.size()];
  if (cached != nullptr && cached->number == slot) return cached->context.get();

  static constexpr std::string_view kLabel = "portcullis ticket";
  std::array<uint8_t, kLabel.size() + kSlotBytes> info;
  std::memcpy(info.data(), kLabel.data(), kLabel.size());
  StoreBigEndian(info.data() + kLabel.size(), slot);
  std::array<uint8_t, kKeyBytes> key;
  auto fresh = std::make_unique<Slot>();
  fresh->number = slot;
  const bool ok = HKDF(key.data(), key.size(), EVP_sha256(), secret_->bytes.data(),
                       secret_->bytes.size(), nullptr, 0, info.data(), info.size()) == 1 &&
                  EVP_AEAD_CTX_init(fresh->context.get(), EVP_aead_aes_256_gcm(), key.data(),
                                    key.size(), kTagBytes, nullptr) == 1;
  OPENSSL_cleanse(key.data(), key.size());
  if (!ok) return nullptr;
  cached = std::move(fresh);
  return cached->context.get();
}

size_t TicketKeys::Seal(std::span<uint8_t> out, std::span<const uint8_t> plain,
                        std::span<const uint8_t> context, int64_t now) {
  if (out.size() < kOverhead || out.size() - kOverhead < plain.size()) return 0;
  const uint64_t slot = SlotAt(now);
  EVP_AEAD_CTX* const key = KeyFor(slot);
  if (key == nullptr) return 0;
  StoreBigEndian(out.data(), slot);
  uint8_t* const nonce = out.data() + kSlotBytes;
  // Random nonces under a key that lives for one slot: far from the bound of 2^32 messages at any
  // handshake rate.
  RAND_bytes(nonce, kNonceBytes);
  size_t sealed = 0;
  if (EVP_AEAD_CTX_seal(key, nonce + kNonceBytes, &sealed, out.size() - kSlotBytes - kNonceBytes,
                        nonce, kNonceBytes, plain.data(), plain.size(), context.data(),
                        context.size()) != 1) {
    return 0;
  }
  return kSlotBytes + kNonceBytes + sealed;
}

size_t TicketKeys::Open(std::span<uint8_t> out, std::span<const uint8_t> ticket,
                        std::span<const uint8_t> context, int64_t now) {
  if (ticket.size() <= kOverhead) return 0;
  const uint64_t slot = LoadBigEndian(ticket.data());
  const uint64_t current = SlotAt(now);
  // The next slot too: the sealer's clock may be ahead of ours. Written so that no hostile slot
  // number overflows.
  const uint64_t distance = slot > current ? slot - current : current - slot;
  if (distance > 1) return 0;
  EVP_AEAD_CTX* const key = KeyFor(slot);
  if (key == nullptr) return 0;
  const std::span<const uint8_t> sealed = ticket.subspan(kSlotBytes + kNonceBytes);
  size_t opened = 0;
  if (EVP_AEAD_CTX_open(key, out.data(), &opened, out.size(), ticket.data() + kSlotBytes,
                        kNonceBytes, sealed.data(), sealed.size(), context.data(),
                        context.size()) != 1) {
    ERR_clear_error();  // Not ours is no error; one left behind would make the library's next call
                        // look failed.
    return 0;
  }
  return opened;
}

}  // namespace portcullis::tls
