#include "tls/host_context.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/engine_callbacks.h"
#include "tls/policy.h"

namespace portcullis::tls {
namespace {

// A session's own timeout rules; this is but the ceiling, RFC 8446 4.6.1.
constexpr uint32_t kMaxSessionSeconds = 7 * 24 * 3600;
// Room for what a Certificate message has around the certificates; the verifier holds the exact
// limit.
constexpr uint32_t kMessageSlack = 1024;
// What sessions are resumed on changes with what tickets carry.
constexpr std::string_view kSessionForm = "portcullis session 3";

absl::Status HostError(const HostSpec& spec, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("host ", spec.name, ": ", status.message()));
}

void Absorb(SHA256_CTX& hash, std::string_view text) {
  const uint64_t size = text.size();
  SHA256_Update(&hash, &size, sizeof(size));
  SHA256_Update(&hash, text.data(), text.size());
}

void Absorb(SHA256_CTX& hash, uint64_t number) { SHA256_Update(&hash, &number, sizeof(number)); }

uint64_t Number(SHA256_CTX& hash) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &hash);
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof(number); ++i) number = number << 8 | digest[i];
  return number;
}

// A resumed session must have been granted under the same trust, asked for in the same way. The
// server's own certificate is no part of it: renewing that must not cost every client a full
// handshake. Nor are CRLs and policy, which are asked at each resumption. OCSP responders are not:
// whom nobody has asked about holds no ticket once they are.
uint64_t EpochOf(const Host& host) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  Absorb(hash, static_cast<uint64_t>(host.spec->client_auth.mode));
  if (host.verifier == nullptr) {
    Absorb(hash, 0);
  } else {
    Absorb(hash, host.verifier->epoch());
    Absorb(hash, host.verifier->trust().ocsp_spec.mode != OcspMode::kOff ? 1 : 0);
  }
  return Number(hash);
}

// Everything that decides who passes. How a refusal is said is no part of it.
uint64_t PolicyIdOf(const Host& host) {
  if (host.verifier == nullptr) return 0;
  const ClientAuthSpec& auth = host.spec->client_auth;
  const TrustMaterial& trust = host.verifier->trust();
  SHA256_CTX hash;
  SHA256_Init(&hash);
  Absorb(hash, static_cast<uint64_t>(auth.mode));
  Absorb(hash, host.verifier->epoch());
  Absorb(hash, trust.revocation->epoch());
  Absorb(hash, static_cast<uint64_t>(trust.revocation_spec.mode));
  Absorb(hash, static_cast<uint64_t>(trust.revocation_spec.scope));
  Absorb(hash, static_cast<uint64_t>(trust.revocation_spec.grace_s));
  Absorb(hash, static_cast<uint64_t>(trust.ocsp_spec.mode));
  Absorb(hash, trust.ocsp_spec.responder_url);
  Absorb(hash, auth.policy == nullptr ? 0 : auth.policy->epoch());
  return Number(hash);
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

absl::Status CheckCiphers(const std::string& ciphers) {
  const bssl::UniquePtr<SSL_CTX> scratch(SSL_CTX_new(TLS_with_buffers_method()));
  return SetCiphers(scratch.get(), ciphers);
}

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
  // Tickets carry what we make of the client (SealTicket), not what it presented.
  SSL_CTX_set_retain_only_sha256_of_client_certs(context.get(), 1);
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

absl::Status MakeHostContexts(Host& host, const HostTableOptions& options, VerifierSet& verifiers,
                              ContextSet& contexts) {
  const HostSpec& spec = *host.spec;
  if (absl::Status status = CheckSpec(spec); !status.ok()) return HostError(spec, status);
  absl::StatusOr<std::string> groups = GroupList(spec.groups);
  if (!groups.ok()) return HostError(spec, groups.status());
  if (*groups != compat::kDefaultGroups) host.groups = *std::move(groups);

  const ClientAuthSpec& auth = spec.client_auth;
  if (auth.mode != ClientAuthMode::kOff) {
    absl::StatusOr<ClientVerifier*> verifier =
        verifiers.Get(auth.trust, MakeVerifierOptions(auth, options));
    if (!verifier.ok()) return HostError(spec, verifier.status());
    host.verifier = *verifier;
  }
  for (const uint16_t version : {uint16_t{TLS1_3_VERSION}, uint16_t{TLS1_2_VERSION}}) {
    if (spec.min_version <= version && version <= spec.max_version) {
      host.wire_versions.push_back(version);
    }
  }
  host.epoch = EpochOf(host);
  host.policy_id = PolicyIdOf(host);
  SHA256_CTX hash;
  SHA256_Init(&hash);
  Absorb(hash, kSessionForm);
  Absorb(hash, spec.name);
  Absorb(hash, host.epoch);
  SHA256_Final(host.session_context.data(), &hash);

  for (const CredentialSpec& credential : spec.credentials) {
    absl::StatusOr<const ContextSet::Entry*> entry = contexts.Get(spec, credential, host.verifier);
    if (!entry.ok()) return HostError(spec, entry.status());
    host.contexts.push_back(bssl::UpRef((*entry)->context));
    host.key_kinds.push_back((*entry)->kind);
    host.staples_until.push_back((*entry)->staple_until);
  }
  return absl::OkStatus();
}

}  // namespace portcullis::tls
