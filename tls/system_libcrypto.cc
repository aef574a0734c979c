#include "tls/system_libcrypto.h"

#include <dlfcn.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portcullis::tls {
namespace {

// Of OpenSSL 3, whose functions and constants keep their meaning as long as the name has this 3.
constexpr const char* kLibrary = "libcrypto.so.3";
constexpr uint64_t kInitNoLoadConfig = 0x80;
// Exit handlers would take the library down under threads that still sign.
constexpr uint64_t kInitNoAtExit = 0x80000;
constexpr int kForeignPkcs1Padding = 1;
constexpr int kForeignNoPadding = 3;
constexpr int kPssSalt = -1;           // BoringSSL's word for: as long as the hash
constexpr size_t kMaxRsaBytes = 2048;  // 16,384 bits, BoringSSL's own limit

struct ForeignRsa;  // the system's RSA, which is not BoringSSL's

// The old RSA functions rather than EVP's: they work on a key without a context for each thread and
// look nothing up in the library's tables on the way.
struct Libcrypto {
  int (*init)(uint64_t options, const void* settings) = nullptr;
  const char* (*version)(int what) = nullptr;
  ForeignRsa* (*parse)(ForeignRsa** out, const uint8_t** in, long size) = nullptr;  // NOLINT
  void (*free)(ForeignRsa* rsa) = nullptr;
  int (*size)(const ForeignRsa* rsa) = nullptr;
  int (*private_encrypt)(int size, const uint8_t* in, uint8_t* out, ForeignRsa* rsa,
                         int padding) = nullptr;
  void (*clear_errors)() = nullptr;
  std::string fault;  // why it cannot be used; empty when it can
};

template <typename Function>
bool Resolve(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

// Whether the library's calls to itself would end up elsewhere: the loader looks among the names
// that the program shows first.
bool IsInterposed(void* handle) {
  constexpr std::array kNames = {"OPENSSL_init_crypto", "CRYPTO_malloc", "RSA_private_encrypt",
                                 "BN_mod_exp_mont", "ERR_clear_error"};
  for (const char* const name : kNames) {
    void* const shown = dlsym(RTLD_DEFAULT, name);
    if (shown != nullptr && shown != dlsym(handle, name)) return true;
  }
  return false;
}

Libcrypto LoadLibcrypto() {
  Libcrypto library;
  void* const handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);  // never closed
  if (handle == nullptr) {
    const char* const error = dlerror();
    library.fault = error == nullptr ? kLibrary : error;
    return library;
  }
  if (!Resolve(handle, "OPENSSL_init_crypto", library.init) ||
      !Resolve(handle, "OpenSSL_version", library.version) ||
      !Resolve(handle, "d2i_RSAPrivateKey", library.parse) ||
      !Resolve(handle, "RSA_free", library.free) || !Resolve(handle, "RSA_size", library.size) ||
      !Resolve(handle, "RSA_private_encrypt", library.private_encrypt) ||
      !Resolve(handle, "ERR_clear_error", library.clear_errors)) {
    library.fault = absl::StrCat(kLibrary, " lacks a function that signing takes");
  } else if (IsInterposed(handle)) {
    library.fault = absl::StrCat(kLibrary, " cannot be kept apart from a library in this program");
  } else if (library.init(kInitNoLoadConfig | kInitNoAtExit, nullptr) != 1) {
    library.fault = absl::StrCat(kLibrary, " does not start");
  }
  return library;
}

const Libcrypto& TheLibcrypto() {
  static const Libcrypto library = LoadLibcrypto();
  return library;
}

struct FreeForeign {
  void operator()(ForeignRsa* rsa) const { TheLibcrypto().free(rsa); }
};
using ForeignKey = std::unique_ptr<ForeignRsa, FreeForeign>;

class SystemKey final : public SigningKey {
 public:
  SystemKey(bssl::UniquePtr<RSA> public_half, ForeignKey key)
      : public_half_(std::move(public_half)), key_(std::move(key)) {}

  [[nodiscard]] bool Sign(uint16_t scheme, std::span<const uint8_t> input, std::span<uint8_t> out,
                          size_t& size) const override {
    size = max_signature_bytes();
    if (SSL_get_signature_algorithm_key_type(scheme) != EVP_PKEY_RSA || out.size() < size) {
      return false;
    }
    const EVP_MD* const hash = SSL_get_signature_algorithm_digest(scheme);
    std::array<uint8_t, EVP_MAX_MD_SIZE> digest;
    unsigned digest_size = 0;
    if (EVP_Digest(input.data(), input.size(), digest.data(), &digest_size, hash, nullptr) != 1) {
      return false;
    }
    const bool made = SSL_is_signature_algorithm_rsa_pss(scheme) == 1
                          ? SignPss(hash, digest.data(), out)
                          : SignPkcs1(hash, {digest.data(), digest_size}, out);
    if (!made) {
      TheLibcrypto().clear_errors();
      ERR_clear_error();
    }
    return made;
  }
  [[nodiscard]] size_t max_signature_bytes() const override { return RSA_size(public_half_.get()); }
  [[nodiscard]] KeyProvider provider() const override { return KeyProvider::kSystem; }

 private:
  // RFC 8017 8.1.1, with a salt as long as the hash.
  [[nodiscard]] bool SignPss(const EVP_MD* hash, const uint8_t* digest,
                             std::span<uint8_t> out) const {
    std::array<uint8_t, kMaxRsaBytes> padded;
    return RSA_padding_add_PKCS1_PSS_mgf1(public_half_.get(), padded.data(), digest, hash, hash,
                                          kPssSalt) == 1 &&
           Transform({padded.data(), max_signature_bytes()}, out, kForeignNoPadding);
  }

  // RFC 8017 8.2.1.
  [[nodiscard]] bool SignPkcs1(const EVP_MD* hash, std::span<const uint8_t> digest,
                               std::span<uint8_t> out) const {
    uint8_t* info = nullptr;
    size_t size = 0;
    int is_allocated = 0;
    if (RSA_add_pkcs1_prefix(&info, &size, &is_allocated, EVP_MD_type(hash), digest.data(),
                             digest.size()) != 1) {
      return false;
    }
    const bool made = Transform({info, size}, out, kForeignPkcs1Padding);
    if (is_allocated != 0) OPENSSL_free(info);
    return made;
  }

  [[nodiscard]] bool Transform(std::span<const uint8_t> in, std::span<uint8_t> out,
                               int padding) const {
    const int made = TheLibcrypto().private_encrypt(static_cast<int>(in.size()), in.data(),
                                                    out.data(), key_.get(), padding);
    return made == static_cast<int>(max_signature_bytes());
  }

  bssl::UniquePtr<RSA> public_half_;
  ForeignKey key_;
};

// The key crosses as DER in memory, which is wiped.
ForeignKey Copy(const RSA* rsa) {
  uint8_t* der = nullptr;
  size_t size = 0;
  if (RSA_private_key_to_bytes(&der, &size, rsa) != 1) return nullptr;
  const uint8_t* in = der;
  ForeignKey key(TheLibcrypto().parse(nullptr, &in, static_cast<long>(size)));  // NOLINT
  OPENSSL_cleanse(der, size);
  OPENSSL_free(der);
  return key;
}

bssl::UniquePtr<RSA> PublicHalf(const RSA* rsa) {
  uint8_t* der = nullptr;
  size_t size = 0;
  if (RSA_public_key_to_bytes(&der, &size, rsa) != 1) return nullptr;
  bssl::UniquePtr<RSA> half(RSA_public_key_from_bytes(der, size));
  OPENSSL_free(der);
  return half;
}

}  // namespace

absl::StatusOr<std::string> SystemLibcryptoVersion() {
  const Libcrypto& library = TheLibcrypto();
  if (!library.fault.empty()) return absl::UnavailableError(library.fault);
  return std::string(library.version(0));
}

absl::StatusOr<std::shared_ptr<const SigningKey>> MakeSystemKey(const EVP_PKEY* key) {
  const Libcrypto& library = TheLibcrypto();
  if (!library.fault.empty()) return absl::UnavailableError(library.fault);
  const RSA* const rsa = EVP_PKEY_get0_RSA(key);
  if (rsa == nullptr || RSA_size(rsa) > kMaxRsaBytes) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the system's libcrypto is used for RSA keys only");
  }
  bssl::UniquePtr<RSA> public_half = PublicHalf(rsa);
  ForeignKey copy = Copy(rsa);
  if (public_half == nullptr || copy == nullptr ||
      library.size(copy.get()) != static_cast<int>(RSA_size(rsa))) {
    library.clear_errors();
    ERR_clear_error();
    return absl::InvalidArgumentError("the system's libcrypto does not take the key");
  }
  return std::make_shared<SystemKey>(std::move(public_half), std::move(copy));
}

}  // namespace portcullis::tls
