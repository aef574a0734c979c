// Arbitrary bytes into DecodeIdentity. Whatever it accepts must be what EncodeIdentity writes: an
// identity has one encoding, so the same bytes must come out again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "tls/identity_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using portcullis::tls::DecodeIdentity;
  using portcullis::tls::EncodeIdentity;
  using portcullis::tls::PeerIdentity;
  const std::shared_ptr<const PeerIdentity> identity = DecodeIdentity({data, size});
  if (identity == nullptr) return 0;
  const std::vector<uint8_t> again = EncodeIdentity(*identity, !identity->chain_der.empty());
  if (!std::equal(again.begin(), again.end(), data, data + size)) std::abort();
  return 0;
}
