#include "tls/host_context.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/engine_callbacks.h"
#include "tls/pem.h"

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

// A session's own timeout rules; this is but the ceiling, RFC 8446 4.6.1.
constexpr uint32_t kMaxSessionSeconds = 7 * 24 * 3600;
// Room for what a Certificate message has around the certificates; the verifier holds the exact
// limit.
constexpr uint32_t kMessageSlack = 1024;
// All names together must fit one extension of 64 KiB with what else is in the message.
constexpr size_t kMaxCaNameBytes = 48 * 1024;

absl::Status HostError(const HostSpec& spec, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("host ", spec.name, ": ", status.message()));
}

void SetCommon(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  TLS_CHECK(SSL_CTX_set_verify_algorithm_prefs(context, kSignatures, std::size(kSignatures)) == 1);
  TLS_CHECK(SSL_CTX_set_strict_cipher_list(context, kDefaultCiphers) == 1);
}

void SetClientCas(SSL_CTX* context, const Host& host) {
  bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> names(sk_CRYPTO_BUFFER_new_null());
  size_t total = 0;
  for (const std::span<const uint8_t> name : host.verifier->ca_names()) {
    total += name.size() + 2;
    if (total > kMaxCaNameBytes) {
      if (host.spec->client_auth.ca_names == CaNames::kAuto) return;
      break;
    }
    bssl::UniquePtr<CRYPTO_BUFFER> buffer(CRYPTO_BUFFER_new(name.data(), name.size(), nullptr));
    TLS_CHECK(bssl::PushToStack(names.get(), std::move(buffer)));
  }
  SSL_CTX_set0_client_CAs(context, names.release());
}

absl::StatusOr<bssl::UniquePtr<SSL_CTX>> MakeContext(const Host& host, const Credential& credential,
                                                     const std::string& origin) {
  const HostSpec& spec = *host.spec;
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  TLS_CHECK(context != nullptr);
  SetCommon(context.get());
  if (!spec.ciphers.empty() &&
      SSL_CTX_set_strict_cipher_list(context.get(), spec.ciphers.c_str()) != 1) {
    return LibraryError("ciphers", absl::StrCat("\"", spec.ciphers, "\" is not understood"));
  }
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& certificate : credential.chain) chain.push_back(certificate.get());
  if (SSL_CTX_set_chain_and_key(context.get(), chain.data(), chain.size(), credential.key.get(),
                                nullptr) != 1) {
    return LibraryError(origin, "certificate cannot serve TLS");
  }
  TLS_CHECK(
      SSL_CTX_set_signing_algorithm_prefs(context.get(), kSignatures, std::size(kSignatures)) == 1);
  TLS_CHECK(SSL_CTX_set_session_id_context(context.get(), host.session_context.data(),
                                           host.session_context.size()) == 1);
  if (host.verifier != nullptr && spec.client_auth.ca_names != CaNames::kNone) {
    SetClientCas(context.get(), host);
  }
  EngineCallbacks::InstallHost(context.get(), host);
  return context;
}

void Absorb(SHA256_CTX& hash, std::string_view text) {
  const uint64_t size = text.size();
  SHA256_Update(&hash, &size, sizeof(size));
  SHA256_Update(&hash, text.data(), text.size());
}

void Absorb(SHA256_CTX& hash, uint64_t number) { SHA256_Update(&hash, &number, sizeof(number)); }

// A resumed session must have been granted under the same trust, asked for in the same way. The
// server's own certificate is no part of it: renewing that must not cost every client a full
// handshake.
uint64_t EpochOf(const HostSpec& spec) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  Absorb(hash, static_cast<uint64_t>(spec.client_auth.mode));
  Absorb(hash, spec.client_auth.max_depth);
  if (spec.client_auth.mode != ClientAuthMode::kOff) Absorb(hash, spec.client_auth.trust->epoch);
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &hash);
  uint64_t epoch = 0;
  for (size_t i = 0; i < sizeof(epoch); ++i) epoch = epoch << 8 | digest[i];
  return epoch;
}

absl::Status CheckSpec(const HostSpec& spec) {
  if (spec.credentials.empty()) return absl::InvalidArgumentError("no certificate is configured");
  if (spec.min_version < TLS1_2_VERSION || spec.max_version > TLS1_3_VERSION ||
      spec.min_version > spec.max_version) {
    return absl::InvalidArgumentError("TLS versions must be a range within 1.2 and 1.3");
  }
  for (const std::string& protocol : spec.alpn) {
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError("an ALPN protocol must have 1 to 255 bytes");
    }
  }
  if (spec.client_auth.mode != ClientAuthMode::kOff && spec.client_auth.trust == nullptr) {
    return absl::InvalidArgumentError("client certificates are asked for but no CA is configured");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> GroupList(const std::vector<std::string>& groups) {
  if (groups.empty()) return std::string(compat::kDefaultGroups);
  const bssl::UniquePtr<SSL_CTX> scratch(SSL_CTX_new(TLS_with_buffers_method()));
  std::vector<std::string> names;
  for (const std::string& group : groups) {
    std::string name = group;
    if (absl::EqualsIgnoreCase(group, "secp256r1")) name = "P-256";
    if (absl::EqualsIgnoreCase(group, "secp384r1")) name = "P-384";
    if (absl::EqualsIgnoreCase(group, "secp521r1")) name = "P-521";
    const bool listed = std::find(names.begin(), names.end(), name) != names.end();
    if (listed || name.find(':') != std::string::npos ||
        SSL_CTX_set1_groups_list(scratch.get(), name.c_str()) != 1) {
      ERR_clear_error();
      return absl::InvalidArgumentError(absl::StrCat(
          "group \"", group,
          listed ? "\" is listed twice" : "\" is not known to this build's TLS library"));
    }
    names.push_back(std::move(name));
  }
  return absl::StrJoin(names, ":");
}

bssl::UniquePtr<SSL_CTX> MakeBaseContext(const HostTableOptions& options) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  TLS_CHECK(context != nullptr);
  SetCommon(context.get());
  TLS_CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  TLS_CHECK(SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) == 1);
  TLS_CHECK(SSL_CTX_set1_groups_list(context.get(), compat::kDefaultGroups) == 1);
  TLS_CHECK(SSL_CTX_set_num_tickets(context.get(), 1) == 1);
  SSL_CTX_set_session_psk_dhe_timeout(context.get(), kMaxSessionSeconds);
  SSL_CTX_set_max_cert_list(
      context.get(), std::min<size_t>(size_t{options.max_chain_bytes} + kMessageSlack, 1U << 24));
  EngineCallbacks::InstallBase(context.get());
  return context;
}

VerifierOptions MakeVerifierOptions(const ClientAuthSpec& spec, const HostTableOptions& options) {
  return {.max_depth = spec.max_depth,
          .max_chain_bytes = options.max_chain_bytes,
          .profile = spec.profile,
          .intermediates_as_anchors = spec.intermediates_as_anchors};
}

absl::Status MakeHostContexts(Host& host, const HostTableOptions& options) {
  const HostSpec& spec = *host.spec;
  if (absl::Status status = CheckSpec(spec); !status.ok()) return HostError(spec, status);
  absl::StatusOr<std::string> groups = GroupList(spec.groups);
  if (!groups.ok()) return HostError(spec, groups.status());
  if (*groups != compat::kDefaultGroups) host.groups = *std::move(groups);

  if (spec.client_auth.mode != ClientAuthMode::kOff) {
    absl::StatusOr<std::unique_ptr<ClientVerifier>> verifier = ClientVerifier::Create(
        spec.client_auth.trust, MakeVerifierOptions(spec.client_auth, options));
    if (!verifier.ok()) return HostError(spec, verifier.status());
    host.verifier = *std::move(verifier);
  }
  for (const uint16_t version : {uint16_t{TLS1_3_VERSION}, uint16_t{TLS1_2_VERSION}}) {
    if (spec.min_version <= version && version <= spec.max_version) {
      host.wire_versions.push_back(version);
    }
  }
  host.epoch = EpochOf(spec);
  SHA256_CTX hash;
  SHA256_Init(&hash);
  Absorb(hash, spec.name);
  Absorb(hash, host.epoch);
  SHA256_Final(host.session_context.data(), &hash);

  for (const CredentialSpec& credential_spec : spec.credentials) {
    absl::StatusOr<Credential> credential = LoadCredential(credential_spec);
    if (!credential.ok()) return HostError(spec, credential.status());
    absl::StatusOr<bssl::UniquePtr<SSL_CTX>> context =
        MakeContext(host, *credential, credential_spec.origin);
    if (!context.ok()) return HostError(spec, context.status());
    host.contexts.push_back(*std::move(context));
    host.key_kinds.push_back(credential->kind);
  }
  return absl::OkStatus();
}

}  // namespace portcullis::tls
