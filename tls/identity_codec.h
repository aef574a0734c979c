// A PeerIdentity as bytes, for the compact tickets: what a resumed session is judged again by. The
// form is ours, versioned, and only ever read behind the ticket's AEAD; it is parsed as untrusted
// input all the same. Pure functions, any thread; but for KeptEncoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tls/verdict.h"

namespace portcullis::tls {

inline constexpr size_t kMaxIdentityBytes = size_t{16} * 1024;

// Encode writes everything but chain_der, of which the leaf alone if `with_leaf`. Never more than
// kMaxIdentityBytes: an identity that is larger gives no bytes, and its session no ticket.
[[nodiscard]] std::vector<uint8_t> EncodeIdentity(const PeerIdentity& identity, bool with_leaf);

// KeptEncoding is EncodeIdentity for an identity that will be met again: the bytes are made once
// and live with it. The thread of the identity's worker.
[[nodiscard]] std::span<const uint8_t> KeptEncoding(const PeerIdentity& identity, bool with_leaf);

// Decode returns null for anything that EncodeIdentity does not write.
[[nodiscard]] std::shared_ptr<const PeerIdentity> DecodeIdentity(std::span<const uint8_t> bytes);

}  // namespace portcullis::tls
