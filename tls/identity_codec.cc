#include "tls/identity_codec.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace portcullis::tls {
namespace {

// The first byte. A replica that does not know the form decodes nothing and falls back to a full
// handshake.
constexpr uint8_t kForm = 2;

constexpr uint64_t Zigzag(int64_t number) {
  return static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63);
}

// The fields of both directions, in one place: `Coder` is a Sizer, a Writer or a Reader. Numbers
// are LEB128 in their shortest form, times zigzag, so that every identity has one encoding.
template <typename Coder, typename Identity>
void CodeFields(Coder& coder, Identity& identity) {
  coder.Text(identity.subject);
  coder.Text(identity.issuer);
  coder.Text(identity.serial_hex);
  coder.Hash(identity.sha256);
  coder.Hash(identity.spki_sha256);
  coder.Time(identity.not_before);
  coder.Time(identity.not_after);
  coder.Texts(identity.common_names);
  coder.Texts(identity.organizations);
  coder.Texts(identity.organizational_units);
  coder.Texts(identity.dns_names);
  coder.Texts(identity.uris);
  coder.Texts(identity.emails);
  coder.Texts(identity.ips);
  coder.Texts(identity.policy_oids);
  coder.Each(identity.path, [&coder](auto& link) {
    coder.Hash(link.issuer);
    coder.Text(link.serial);
    coder.Time(link.not_after);
    coder.Flag(link.is_ca);
    coder.Each(link.distribution_points, [&coder](auto& point) { coder.Number(point); });
  });
  coder.Hash(identity.anchor_sha256);
  coder.Each(identity.lent, [&coder](auto& digest) { coder.Hash(digest); });
}

// Counts what a Writer of the same would write.
class Sizer {
 public:
  void Number(uint64_t number) {
    for (; number >= 0x80; number >>= 7) ++size_;
    ++size_;
  }
  void Time(int64_t time) { Number(Zigzag(time)); }
  void Flag(bool /*flag*/) { ++size_; }
  void Hash(const Sha256& hash) { size_ += hash.size(); }
  template <typename T>
  void Text(const T& text) {
    Number(text.size());
    size_ += text.size();
  }
  void Texts(const std::vector<std::string>& texts) {
    Each(texts, [this](const std::string& text) { Text(text); });
  }
  template <typename T, typename F>
  void Each(const std::vector<T>& items, F&& code) {
    Number(items.size());
    for (const T& item : items) code(item);
  }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  size_t size_ = 0;
};

class Writer {
 public:
  explicit Writer(size_t size) { bytes_.reserve(size); }

  void Byte(uint8_t byte) { bytes_.push_back(byte); }
  void Number(uint64_t number) {
    for (; number >= 0x80; number >>= 7) Byte(static_cast<uint8_t>(number | 0x80));
    Byte(static_cast<uint8_t>(number));
  }
  void Time(int64_t time) { Number(Zigzag(time)); }
  void Flag(bool flag) { Byte(flag ? 1 : 0); }
  void Hash(const Sha256& hash) { bytes_.insert(bytes_.end(), hash.begin(), hash.end()); }
  // A string, or a vector of bytes.
  template <typename T>
  void Text(const T& text) {
    Number(text.size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }
  void Texts(const std::vector<std::string>& texts) {
    Each(texts, [this](const std::string& text) { Text(text); });
  }
  template <typename T, typename F>
  void Each(const std::vector<T>& items, F&& code) {
    Number(items.size());
    for (const T& item : items) code(item);
  }
  [[nodiscard]] std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

// After the first mistake every read gives nothing, and ok() says so at the end.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint8_t Byte() {
    if (bytes_.empty()) return Fail();
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  void Number(uint64_t& number) {
    number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Byte();
      const uint64_t part = byte & 0x7FU;
      // Not the shortest form, or beyond 64 bits.
      if ((byte == 0 && shift > 0) || (shift == 63 && byte > 1)) Fail();
      number |= part << shift;
      if (!ok_ || (byte & 0x80) == 0) return;
    }
    Fail();
  }
  void Time(int64_t& time) {
    uint64_t number = 0;
    Number(number);
    time = static_cast<int64_t>(number >> 1 ^ (~(number & 1) + 1));
  }
  void Flag(bool& flag) {
    const uint8_t byte = Byte();
    if (byte > 1) Fail();
    flag = byte == 1;
  }
  void Hash(Sha256& hash) {
    const std::span<const uint8_t> taken = Bytes(hash.size());
    std::copy(taken.begin(), taken.end(), hash.begin());
  }
  template <typename T>
  void Text(T& text) {
    const std::span<const uint8_t> taken = Bytes(Count());
    text.assign(taken.begin(), taken.end());
  }
  void Texts(std::vector<std::string>& texts) {
    Each(texts, [this](std::string& text) { Text(text); });
  }
  template <typename T, typename F>
  void Each(std::vector<T>& items, F&& code) {
    // Grown item by item: a count alone must not make memory.
    for (uint64_t left = Count(); ok_ && left > 0; --left) code(items.emplace_back());
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

 private:
  uint8_t Fail() {
    ok_ = false;
    bytes_ = {};
    return 0;
  }
  uint64_t Count() {
    uint64_t count = 0;
    Number(count);
    return count;
  }
  std::span<const uint8_t> Bytes(uint64_t size) {
    if (size > bytes_.size()) {
      Fail();
      return {};
    }
    const std::span<const uint8_t> taken = bytes_.first(static_cast<size_t>(size));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

  std::span<const uint8_t> bytes_;
  bool ok_ = true;
};

}  // namespace

std::vector<uint8_t> EncodeIdentity(const PeerIdentity& identity, bool with_leaf) {
  const auto code = [&](auto& coder) {
    CodeFields(coder, identity);
    const bool has_leaf = with_leaf && !identity.chain_der.empty();
    coder.Flag(has_leaf);
    if (has_leaf) coder.Text(identity.chain_der.front());
  };
  Sizer sizer;
  code(sizer);
  const size_t size = sizeof(kForm) + sizer.size();
  if (size > kMaxIdentityBytes) return {};
  Writer writer(size);
  writer.Byte(kForm);
  code(writer);
  return writer.Take();
}

std::span<const uint8_t> KeptEncoding(const PeerIdentity& identity, bool with_leaf) {
  std::vector<uint8_t>& bytes = identity.encodings.Of(with_leaf);
  if (bytes.empty()) bytes = EncodeIdentity(identity, with_leaf);
  return bytes;
}

std::shared_ptr<const PeerIdentity> DecodeIdentity(std::span<const uint8_t> bytes) {
  if (bytes.size() > kMaxIdentityBytes) return nullptr;
  Reader reader(bytes);
  if (reader.Byte() != kForm) return nullptr;
  auto identity = std::make_shared<PeerIdentity>();
  CodeFields(reader, *identity);
  bool has_leaf = false;
  reader.Flag(has_leaf);
  if (has_leaf) {
    std::vector<uint8_t> leaf;
    reader.Text(leaf);
    identity->chain_der.emplace_back(leaf);
  }
  if (!reader.ok() || !reader.at_end()) return nullptr;
  return identity;
}

}  // namespace portcullis::tls
