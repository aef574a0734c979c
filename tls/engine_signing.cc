// An Engine's signature: made in its handshake, or waited for while its owner has it made.
#include <algorithm>
#include <memory>
#include <utility>

#include "tls/check.h"
#include "tls/engine.h"
#include "tls/engine_callbacks.h"

namespace portcullis::tls {
namespace {

// Contexts that decrypt with their key, as key exchange by RSA does, have no method.
ssl_private_key_result_t Decrypt(SSL* /*ssl*/, uint8_t* /*out*/, size_t* /*out_size*/,
                                 size_t /*capacity*/, const uint8_t* /*in*/, size_t /*size*/) {
  return ssl_private_key_failure;
}

}  // namespace

const SSL_PRIVATE_KEY_METHOD* EngineCallbacks::SigningMethod() {
  static constexpr SSL_PRIVATE_KEY_METHOD kMethod = {
      .sign = Sign, .decrypt = Decrypt, .complete = Complete};
  return &kMethod;
}

ssl_private_key_result_t EngineCallbacks::Sign(SSL* ssl, uint8_t* out, size_t* out_size,
                                               size_t capacity, uint16_t scheme,
                                               const uint8_t* input, size_t size) {
  Engine& engine = EngineOf(ssl);
  const AttachedKey* const attached = FindKey(SSL_get_SSL_CTX(ssl));
  TLS_CHECK(attached != nullptr);
  engine.key_provider_ = attached->key->provider();
  if (attached->on_helper) {
    engine.signing_job_ = std::make_unique<SigningJob>();
    *engine.signing_job_ = {.key = attached->key, .scheme = scheme, .input = {input, input + size}};
    engine.signature_state_ = SignatureState::kPending;
    return ssl_private_key_retry;
  }
  const bool made = attached->key->Sign(scheme, {input, size}, {out, capacity}, *out_size);
  engine.signature_state_ = made ? SignatureState::kMade : SignatureState::kFailed;
  return made ? ssl_private_key_success : ssl_private_key_failure;
}

ssl_private_key_result_t EngineCallbacks::Complete(SSL* ssl, uint8_t* out, size_t* out_size,
                                                   size_t capacity) {
  Engine& engine = EngineOf(ssl);
  if (engine.signature_state_ == SignatureState::kPending) return ssl_private_key_retry;
  const std::vector<uint8_t> signature = std::move(engine.signature_);
  engine.signature_ = {};
  if (signature.empty() || signature.size() > capacity) return ssl_private_key_failure;
  std::copy(signature.begin(), signature.end(), out);
  *out_size = signature.size();
  return ssl_private_key_success;
}

SigningJob Engine::TakeSigningJob() {
  TLS_CHECK(signature_state_ == SignatureState::kPending && signing_job_ != nullptr);
  const std::unique_ptr<SigningJob> job = std::move(signing_job_);
  return std::move(*job);
}

void Engine::SetSignature(std::vector<uint8_t> signature) {
  TLS_CHECK(signature_state_ == SignatureState::kPending);
  signature_state_ = signature.empty() ? SignatureState::kFailed : SignatureState::kMade;
  signature_ = std::move(signature);
}

}  // namespace portcullis::tls
