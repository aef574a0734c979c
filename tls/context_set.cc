#include "tls/context_set.h"

#include <openssl/nid.h>
#include <openssl/sha.h>

#include <iterator>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tls/check.h"
#include "tls/engine_callbacks.h"
#include "tls/key_choice.h"
#include "tls/ocsp_staple.h"
#include "tls/pem.h"
#include "tls/signing_key.h"

namespace portcullis::tls {
namespace {

constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// What we sign with and what we let clients prove themselves with. No SHA-1. Ed25519 is not among
// the library's defaults for verifying, but clients have such keys.
constexpr uint16_t kSignatures[] = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ED25519,
    SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PKCS1_SHA256,
    SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384,
    SSL_SIGN_RSA_PKCS1_SHA384,       SSL_SIGN_ECDSA_SECP521R1_SHA512,
    SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA512,
};

// All names together must fit one extension of 64 KiB with what else is in the message.
constexpr size_t kMaxCaNameBytes = 48 * 1024;

void Absorb(SHA256_CTX& hash, std::string_view text) {
  const uint64_t size = text.size();
  SHA256_Update(&hash, &size, sizeof(size));
  SHA256_Update(&hash, text.data(), text.size());
}

void SetClientCas(SSL_CTX* context, const ClientVerifier& verifier, CaNames wanted) {
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names(sk_CRYPTO_BUFFER_new_null());
  size_t total = 0;
  for (const std::span<const uint8_t> name : verifier.ca_names()) {
    total += name.size() + 2;
    if (total > kMaxCaNameBytes) {
      if (wanted == CaNames::kAuto) return;
      break;
    }
    bssl::UniquePtr<CRYPTO_BUFFER> buffer(CRYPTO_BUFFER_new(name.data(), name.size(), nullptr));
    TLS_CHECK(bssl::PushToStack(names.get(), std::move(buffer)));
  }
  SSL_CTX_set0_client_CAs(context, names.release());
}

// Whether the operator's list has TLS 1.2 suites in which the key decrypts rather than signs.
bool HasRsaKeyExchange(const SSL_CTX* context) {
  const STACK_OF(SSL_CIPHER)* const ciphers = SSL_CTX_get_ciphers(context);
  for (size_t i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    if (SSL_CIPHER_get_kx_nid(sk_SSL_CIPHER_value(ciphers, i)) == NID_kx_rsa) return true;
  }
  return false;
}

// Gives the context its certificate and key: the library itself uses the key only where it has to
// decrypt.
absl::Status SetCredential(SSL_CTX* context, const Credential& credential,
                           const CredentialSpec& spec) {
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& certificate : credential.chain) chain.push_back(certificate.get());
  const bool signs = !HasRsaKeyExchange(context);
  if (SSL_CTX_set_chain_and_key(context, chain.data(), chain.size(),
                                signs ? nullptr : credential.key.get(),
                                signs ? EngineCallbacks::SigningMethod() : nullptr) != 1) {
    return LibraryError(spec.origin, "certificate cannot serve TLS");
  }
  if (!signs) return absl::OkStatus();
  absl::StatusOr<std::shared_ptr<const SigningKey>> key =
      MakeSigningKey(credential.key.get(), spec.key_provider);
  if (!key.ok()) {
    return absl::Status(key.status().code(),
                        absl::StrCat(spec.origin, ": ", key.status().message()));
  }
  AttachKey(context, {.key = *std::move(key), .on_helper = spec.sign_on_helper});
  return absl::OkStatus();
}

absl::StatusOr<bssl::UniquePtr<SSL_CTX>> MakeContext(const HostSpec& spec,
                                                     const Credential& credential,
                                                     const CredentialSpec& credential_spec,
                                                     const ClientVerifier* verifier) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  TLS_CHECK(context != nullptr);
  SetCommon(context.get());
  if (!spec.ciphers.empty()) {
    absl::Status status = SetCiphers(context.get(), spec.ciphers);
    if (!status.ok()) return status;
  }
  if (absl::Status status = SetCredential(context.get(), credential, credential_spec);
      !status.ok()) {
    return status;
  }
  TLS_CHECK(
      SSL_CTX_set_signing_algorithm_prefs(context.get(), kSignatures, std::size(kSignatures)) == 1);
  if (verifier != nullptr) SetClientCas(context.get(), *verifier, spec.client_auth.ca_names);
  EngineCallbacks::InstallHost(context.get());
  return context;
}

}  // namespace

void SetCommon(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  TLS_CHECK(SSL_CTX_set_verify_algorithm_prefs(context, kSignatures, std::size(kSignatures)) == 1);
  TLS_CHECK(SSL_CTX_set_strict_cipher_list(context, kDefaultCiphers) == 1);
}

absl::Status SetCiphers(SSL_CTX* context, const std::string& ciphers) {
  if (SSL_CTX_set_strict_cipher_list(context, ciphers.c_str()) == 1) return absl::OkStatus();
  return LibraryError("ciphers", absl::StrCat("\"", ciphers, "\" is not understood"));
}

absl::StatusOr<const ContextSet::Entry*> ContextSet::Get(const HostSpec& spec,
                                                         const CredentialSpec& credential,
                                                         const ClientVerifier* verifier) {
  const bool tells_names = verifier != nullptr && spec.client_auth.ca_names != CaNames::kNone;
  const ClientVerifier* const named = tells_names ? verifier : nullptr;
  const bool fits = tells_names && spec.client_auth.ca_names == CaNames::kFit;
  SHA256_CTX hash;
  SHA256_Init(&hash);
  Absorb(hash, credential.chain_pem);
  Absorb(hash, credential.key_pem);
  Absorb(hash, credential.ocsp_response);
  SHA256_Update(&hash, &credential.key_provider, sizeof(credential.key_provider));
  SHA256_Update(&hash, &credential.sign_on_helper, sizeof(credential.sign_on_helper));
  Absorb(hash, spec.ciphers);
  const auto who = reinterpret_cast<uintptr_t>(named);  // the one object, in this process
  SHA256_Update(&hash, &who, sizeof(who));
  SHA256_Update(&hash, &fits, sizeof(fits));
  Key key;
  SHA256_Final(key.data(), &hash);
  if (const auto found = entries_.find(key); found != entries_.end()) return &found->second;

  absl::StatusOr<Credential> loaded = LoadCredential(credential);
  if (!loaded.ok()) return loaded.status();
  absl::StatusOr<bssl::UniquePtr<SSL_CTX>> context = MakeContext(spec, *loaded, credential, named);
  if (!context.ok()) return context.status();
  Entry& entry = entries_[key];
  entry.context = *std::move(context);
  entry.kind = loaded->kind;
  if (loaded->staple.has_value()) entry.staple_until = StapleUntil(*loaded->staple);
  return &entry;
}

}  // namespace portcullis::tls
