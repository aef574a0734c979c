// SharedBytes: bytes that do not change, held in common by whoever has a copy. For certificates
// that many clients send alike: their issuers'. Reference counts are atomic; a worker's bytes are
// its own, but for copies of identities that it gives to the supervisor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace portcullis::tls {

class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::span<const uint8_t> bytes) : size_(bytes.size()) {
    if (bytes.empty()) return;
    const auto copy = std::make_shared_for_overwrite<uint8_t[]>(bytes.size());
    std::ranges::copy(bytes, copy.get());
    bytes_ = copy;
  }

  [[nodiscard]] const uint8_t* data() const { return bytes_.get(); }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const uint8_t* begin() const { return data(); }
  [[nodiscard]] const uint8_t* end() const { return data() + size_; }
  // Equal bytes, wherever they are.
  friend bool operator==(const SharedBytes& a, const SharedBytes& b) {
    return std::ranges::equal(a, b);
  }

 private:
  std::shared_ptr<const uint8_t[]> bytes_;
  size_t size_ = 0;
};

}  // namespace portcullis::tls
