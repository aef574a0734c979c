#include "tls/signing_key.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <utility>

#include "tls/check.h"

namespace portcullis::tls {
namespace {

constexpr int kSaltLikeHash = -1;  // the library's word for: as long as the hash

// Prepares `context` for a signature under `scheme`, as RFC 8446 4.2.3 has it: the salt of PSS is
// as long as the hash.
bool SetPadding(EVP_PKEY_CTX* context, uint16_t scheme) {
  if (SSL_is_signature_algorithm_rsa_pss(scheme) == 0) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, kSaltLikeHash) == 1;
}

bool FitsKey(const EVP_PKEY* key, uint16_t scheme) {
  return SSL_get_signature_algorithm_key_type(scheme) == EVP_PKEY_id(key);
}

class BuiltinKey final : public SigningKey {
 public:
  explicit BuiltinKey(EVP_PKEY* key) : key_(bssl::UpRef(key)) {}

  [[nodiscard]] bool Sign(uint16_t scheme, std::span<const uint8_t> input, std::span<uint8_t> out,
                          size_t& size) const override {
    bssl::ScopedEVP_MD_CTX context;
    EVP_PKEY_CTX* padding = nullptr;
    size = out.size();
    if (FitsKey(key_.get(), scheme) &&
        EVP_DigestSignInit(context.get(), &padding, SSL_get_signature_algorithm_digest(scheme),
                           nullptr, key_.get()) == 1 &&
        SetPadding(padding, scheme) &&
        EVP_DigestSign(context.get(), out.data(), &size, input.data(), input.size()) == 1) {
      return true;
    }
    ERR_clear_error();
    return false;
  }
  [[nodiscard]] size_t max_signature_bytes() const override {
    return static_cast<size_t>(EVP_PKEY_size(key_.get()));
  }
  [[nodiscard]] KeyProvider provider() const override { return KeyProvider::kBuiltin; }

 private:
  bssl::UniquePtr<EVP_PKEY> key_;
};

void FreeKey(void* /*parent*/, void* key, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argl*/,
             void* /*argp*/) {  // NOLINT(google-runtime-int)
  delete static_cast<AttachedKey*>(key);
}

int KeyIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeKey);
  return index;
}

}  // namespace

std::shared_ptr<const SigningKey> MakeBuiltinKey(EVP_PKEY* key) {
  return std::make_shared<BuiltinKey>(key);
}

bool IsSignatureOf(EVP_PKEY* key, uint16_t scheme, std::span<const uint8_t> input,
                   std::span<const uint8_t> signature) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* padding = nullptr;
  const bool good =
      FitsKey(key, scheme) &&
      EVP_DigestVerifyInit(context.get(), &padding, SSL_get_signature_algorithm_digest(scheme),
                           nullptr, key) == 1 &&
      SetPadding(padding, scheme) &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), input.data(),
                       input.size()) == 1;
  ERR_clear_error();
  return good;
}

std::vector<uint8_t> SigningJob::Run() const {
  std::vector<uint8_t> signature(key->max_signature_bytes());
  size_t size = 0;
  signature.resize(key->Sign(scheme, input, signature, size) ? size : 0);
  return signature;
}

void AttachKey(SSL_CTX* context, AttachedKey key) {
  TLS_CHECK(key.key != nullptr && FindKey(context) == nullptr);
  TLS_CHECK(SSL_CTX_set_ex_data(context, KeyIndex(), new AttachedKey(std::move(key))) == 1);
}

const AttachedKey* FindKey(const SSL_CTX* context) {
  return static_cast<const AttachedKey*>(SSL_CTX_get_ex_data(context, KeyIndex()));
}

}  // namespace portcullis::tls
