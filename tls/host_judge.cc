#include "tls/host_judge.h"

#include <openssl/pool.h>

#include <string>
#include <utility>
#include <vector>

#include "tls/check.h"
#include "tls/policy.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

void Refuse(Verdict& verdict, Rejection reason, std::string detail) {
  verdict.rejection = reason;
  verdict.x509_error = ToX509Error(reason);
  verdict.failed_depth = 0;
  verdict.failed_subject = verdict.identity->subject;
  verdict.detail = std::move(detail);
}

void ApplyPolicy(const Host& host, Verdict& verdict) {
  const Policy* const policy = host.spec->client_auth.policy.get();
  if (policy == nullptr || !verdict.accepted()) return;
  const Policy::Decision decision = policy->Evaluate(*verdict.identity);
  if (decision.allowed) return;
  Refuse(verdict, Rejection::kPolicyDenied,
         decision.rule.empty() ? "no rule allows it" : std::string(decision.rule));
}

Verdict JudgeRemembered(const Host& host, std::span<CRYPTO_BUFFER* const> chain,
                        VerdictCache& cache, int64_t now) {
  const Sha256 key = VerdictCache::KeyOf(host.verifier->epoch(), chain);
  if (std::shared_ptr<const PeerIdentity> known = cache.Find(key); known != nullptr) {
    Verdict verdict = host.verifier->Recheck(std::move(known), now);
    verdict.from_cache = true;
    if (verdict.accepted()) return verdict;
    cache.Erase(key);
  }
  return host.verifier->Judge(chain, now);
}

}  // namespace

Verdict JudgeChain(const Host& host, std::span<CRYPTO_BUFFER* const> chain, VerdictCache* cache,
                   int64_t now) {
  TLS_CHECK(host.verifier != nullptr && !chain.empty());
  Verdict verdict = cache != nullptr ? JudgeRemembered(host, chain, *cache, now)
                                     : host.verifier->Judge(chain, now);
  ApplyPolicy(host, verdict);
  return verdict;
}

void Remember(const Host& host, const Verdict& verdict, VerdictCache* cache) {
  if (cache == nullptr || !verdict.accepted() || verdict.from_cache) return;
  TLS_CHECK(host.verifier != nullptr && verdict.identity != nullptr);
  const PeerIdentity& identity = *verdict.identity;
  if (identity.presented_more || identity.chain_der.empty()) return;
  cache->Insert(VerdictCache::KeyOf(host.verifier->epoch(), identity.chain_der), verdict.identity);
}

Verdict JudgePresented(const Host& host, std::span<const SharedBytes> chain_der,
                       VerdictCache* cache, int64_t now) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> buffers;
  std::vector<CRYPTO_BUFFER*> chain;
  for (const SharedBytes& der : chain_der) {
    buffers.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    chain.push_back(buffers.back().get());
  }
  Verdict verdict = JudgeChain(host, chain, cache, now);
  Remember(host, verdict, cache);
  return verdict;
}

Verdict JudgeAgain(const Host& host, std::shared_ptr<const PeerIdentity> identity, int64_t now) {
  TLS_CHECK(host.verifier != nullptr && identity != nullptr);
  Verdict verdict = host.verifier->Recheck(std::move(identity), now);
  ApplyPolicy(host, verdict);
  return verdict;
}

JudgingRules RulesOf(const Host& host) {
  if (host.verifier == nullptr) return {};
  return {.epoch = host.verifier->epoch(), .options = host.verifier->options()};
}

Verdict JudgeLive(const Host& host, const LiveClient& client, VerdictCache* cache, int64_t now) {
  TLS_CHECK(host.verifier != nullptr && client.identity != nullptr);
  const PeerIdentity& identity = *client.identity;
  const ClientVerifier& verifier = *host.verifier;
  const bool same_rules = verifier.epoch() == client.judged_by.epoch;
  const bool same_options = verifier.options() == client.judged_by.options;
  const bool knows_chain = !client.resumed && !identity.chain_der.empty();
  // What the client presented itself leads to its anchor as well under another trust.
  const bool path_stands = same_rules || (same_options && identity.presented_just_path);
  if (!path_stands && knows_chain) return JudgePresented(host, identity.chain_der, cache, now);

  Verdict verdict = JudgeAgain(host, client.identity, now);
  if (!verdict.accepted()) {
    if (verdict.rejection == Rejection::kPolicyDenied || !knows_chain) return verdict;
    if (verdict.rejection == Rejection::kUnknownCa && verifier.HasNoPathFor(identity))
      return verdict;
    return JudgePresented(host, identity.chain_der, cache, now);
  }
  if (path_stands) return verdict;
  const VerifierOptions& rules = verifier.options();
  if (identity.path.size() > size_t{rules.max_depth} + 1) {
    Refuse(verdict, Rejection::kChainTooLong, "of a resumed session");
  } else if (rules.profile != client.judged_by.options.profile) {
    Refuse(verdict, Rejection::kBadCertificate, "accepted under another profile");
  }
  return verdict;
}

bool IsKnownRevoked(const Host& host, const PeerIdentity& identity, const KnownStatuses* statuses) {
  TLS_CHECK(host.verifier != nullptr);
  const TrustMaterial& trust = host.verifier->trust();
  return statuses != nullptr && trust.ocsp_spec.mode != OcspMode::kOff && !identity.path.empty() &&
         statuses->KnowsRevoked(StatusKeyOf(identity, trust));
}

bool IsForgiven(const ClientAuthSpec& spec, Rejection rejection) {
  return spec.mode == ClientAuthMode::kOptionalNoCa && rejection == Rejection::kUnknownCa;
}

}  // namespace portcullis::tls
