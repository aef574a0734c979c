// What a virtual host makes of a client: the verifier's word on its chain, or what is remembered of
// it, then the host's policy. The same for full handshakes, resumptions and live connections, so
// that none of them knows a client whom another would refuse. The thread of the host's worker.
#pragma once

#include <openssl/base.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tls/client_status.h"
#include "tls/host_table.h"
#include "tls/verdict.h"
#include "tls/verdict_cache.h"

namespace portcullis::tls {

// JudgeChain judges a chain as presented, which must not be empty, at `now` (seconds since the
// epoch). One that `cache` (null: none) knows under the host's trust costs no signature and is not
// even parsed: revocation, expiry and policy are asked all the same, and where they refuse, the
// chain is judged afresh, for another path may hold. `cache` learns nothing: anyone may present
// the chain of another.
[[nodiscard]] Verdict JudgeChain(const Host& host, std::span<CRYPTO_BUFFER* const> chain,
                                 VerdictCache* cache, int64_t now);

// Remember has `cache` (null: none) know a client that JudgeChain has accepted, and who has proved
// possession of its key since. Not if it presented more than its path: that would be another chain
// each time, if it so pleased.
void Remember(const Host& host, const Verdict& verdict, VerdictCache* cache);

// JudgePresented is JudgeChain of the certificates as a PeerIdentity keeps them: its chain_der. The
// client is one who has proved possession, and `cache` remembers it.
[[nodiscard]] Verdict JudgePresented(const Host& host, std::span<const SharedBytes> chain_der,
                                     VerdictCache* cache, int64_t now);

// JudgeAgain asks whether a client accepted under the same Host::epoch may still pass: for tickets.
[[nodiscard]] Verdict JudgeAgain(const Host& host, std::shared_ptr<const PeerIdentity> identity,
                                 int64_t now);

// The rules that a host judges by, as far as the path of an identity stands on them. Values, for
// they may have to outlive the host.
struct JudgingRules {
  uint64_t epoch = 0;  // ClientVerifier::epoch
  VerifierOptions options;
};

// RulesOf returns those of `host`; of one that asks for no certificates, none.
[[nodiscard]] JudgingRules RulesOf(const Host& host);

// A client that was let in, as its connection knows it.
struct LiveClient {
  JudgingRules judged_by;  // when its identity was
  std::shared_ptr<const PeerIdentity> identity;
  bool resumed = false;  // the identity is a ticket's: of the chain it knows the leaf at most
};

// JudgeLive asks what `host`, as configured now, makes of `client`. Where the options have changed,
// or the path known fails while there may be others, the chain is judged anew; of a resumed
// session, the path stands or falls as it is, and under another profile it falls. That costs no
// signature where CAs come and go, for a reload asks it of every live client.
[[nodiscard]] Verdict JudgeLive(const Host& host, const LiveClient& client, VerdictCache* cache,
                                int64_t now);

// IsKnownRevoked tells whether the responder of the host's trust has called a client revoked, as
// far as `statuses` (null: nothing) knows. Asks nobody.
[[nodiscard]] bool IsKnownRevoked(const Host& host, const PeerIdentity& identity,
                                  const KnownStatuses* statuses);

// IsForgiven tells whether a host lets a client pass despite `rejection`: kOptionalNoCa and
// kUnknownCa. Its verdict stays what it is, and backends are told of it.
[[nodiscard]] bool IsForgiven(const ClientAuthSpec& spec, Rejection rejection);

}  // namespace portcullis::tls
