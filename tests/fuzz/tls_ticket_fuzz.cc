// Tickets under a secret that the fuzzer has: whatever stands in one, sealed or not, the engine
// must end in a state it can name, and resume nobody whom the ticket's own identity does not name
// and the host does not let in. The first byte chooses version, host and what becomes of the rest:
//
// - the whole ticket, as it lies; TicketKeys::Open must refuse it, for nobody can guess keys;
// - the whole plaintext;
// - an identity, behind a genuine session;
// - changes to a genuine plaintext: three bytes each, where and what to flip.
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "tests/tls/test_client.h"
#include "tests/tls/test_pki.h"
#include "tls/engine.h"
#include "tls/identity_codec.h"
#include "tls/ticket_keys.h"

namespace {

namespace testing = portcullis::tls::testing;
namespace tls = portcullis::tls;

using Octets = std::vector<uint8_t>;
using Span = std::span<const uint8_t>;

constexpr std::array<const char*, 4> kHosts = {"edge", "keeps", "open", "denies"};
constexpr size_t kTrailer = 2;  // the size of the identity, behind it

void Require(bool condition) {
  if (!condition) std::abort();
}

std::shared_ptr<const tls::TicketSecret> Secret() {
  const auto secret = tls::TicketSecret::FromBytes("the fuzzer has the service's own secret", 3600);
  Require(secret.ok());
  return *secret;
}

// What a client was given when it came first, and what the ticket says.
struct Genuine {
  bssl::UniquePtr<SSL_SESSION> session;
  Octets plain;
  size_t identity_size = 0;
};

class Service {
 public:
  Service() : hosts_(Specs(), {}, Secret()), keys_(Secret()) {}

  const Genuine& Visit(size_t host, uint16_t version) {
    Genuine& genuine = genuine_[host][version == TLS1_3_VERSION ? 1 : 0];
    if (genuine.session != nullptr) return genuine;
    // One who is denied has a ticket of the days before.
    testing::TestHosts before(Specs(false), {}, Secret());
    testing::Pair pair(before.table(), Options(host, version));
    Require(pair.Handshake() == tls::HandshakeStatus::kDone);
    genuine.session = pair.client().TakeSession();
    Require(genuine.session != nullptr);
    const uint8_t* ticket = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(genuine.session.get(), &ticket, &size);
    genuine.plain.resize(size);
    genuine.plain.resize(keys_.Open(genuine.plain, {ticket, size}, Context(host), testing::kNow));
    Require(genuine.plain.size() > kTrailer);
    const Span trailer = Span(genuine.plain).last(kTrailer);
    genuine.identity_size = size_t{trailer[0]} << 8 | trailer[1];
    return genuine;
  }

  Octets Seal(Span plain, size_t host) {
    Octets ticket(plain.size() + tls::TicketKeys::kOverhead);
    Require(keys_.Seal(ticket, plain, Context(host), testing::kNow) == ticket.size());
    return ticket;
  }

  void RequireForeign(Span ticket, size_t host) {
    Octets out(ticket.size());
    Require(keys_.Open(out, ticket, Context(host), testing::kNow) == 0);
    Require(keys_.Open(out, ticket, {}, static_cast<int64_t>(ticket.size()) * 3600) == 0);
  }

  // Offers `ticket` in place of the one that came with the session; whether it resumed.
  bool Offer(size_t host, uint16_t version, Span ticket, Span plain) {
    const Genuine& genuine = Visit(host, version);
    Require(SSL_SESSION_set_ticket(genuine.session.get(), ticket.data(), ticket.size()) == 1);
    testing::ClientOptions options = Options(host, version);
    options.session = genuine.session.get();
    testing::Pair pair(hosts_.table(), options);
    const tls::HandshakeStatus status = pair.Handshake();
    const tls::Engine& engine = pair.engine();
    if (status == tls::HandshakeStatus::kFailed) {
      Require(engine.failure().reason != tls::Rejection::kNone);
      return false;
    }
    if (status != tls::HandshakeStatus::kDone) {  // A client that cannot go on leaves it waiting.
      Require(status == tls::HandshakeStatus::kWantRead && pair.client().failed());
      return false;
    }
    Require(engine.verdict().rejection != tls::Rejection::kInternal);
    if (engine.resumed()) RequireVouched(engine, host, plain);
    return engine.resumed();
  }

 private:
  static testing::ClientOptions Options(size_t host, uint16_t version) {
    static const auto* const kClient = new testing::TestCertificate(
        testing::MakeLeaf(Root(), {.common_name = "client", .serial = 66}));
    return {.sni = kHosts[host],
            .min_version = version,
            .max_version = version,
            .certificate = kClient};
  }

  static const testing::TestCertificate& Root() {
    static const auto* const kRoot =
        new testing::TestCertificate(testing::MakeRoot({.common_name = "root"}));
    return *kRoot;
  }

  static std::vector<tls::HostSpec> Specs(bool denies = true) {
    static const auto* const kServer =
        new testing::TestCertificate(testing::MakeLeaf(Root(), {.common_name = "server"}));
    static const auto* const kTrust =
        new auto(testing::MakeTrust({&Root()}, {testing::MakeCrlPem(Root(), {67})}));
    std::vector<tls::HostSpec> specs(kHosts.size());
    for (size_t i = 0; i < specs.size(); ++i) {
      specs[i].name = kHosts[i];
      specs[i].server_names = {kHosts[i]};
      specs[i].credentials = {testing::MakeCredential(*kServer)};
      specs[i].client_auth.mode = tls::ClientAuthMode::kRequire;
      specs[i].client_auth.trust = *kTrust;
    }
    specs[1].client_auth.keep_leaf = true;
    specs[1].client_auth.refusal = tls::RefusalStyle::kHttp;
    specs[2].client_auth.mode = tls::ClientAuthMode::kOptional;
    if (denies) {
      const auto policy = tls::Policy::Compile(
          {.allow = {},
           .deny = {{.name = "client",
                     .all_of = {{.field = tls::MatchField::kCommonName, .values = {"client"}}}}}});
      Require(policy.ok());
      specs[3].client_auth.policy = *policy;
    }
    return specs;
  }

  Span Context(size_t host) {
    const tls::Host* const found = hosts_.table().FindHost(kHosts[host]);
    Require(found != nullptr);
    return found->session_context;
  }

  // The identity is the plaintext's, to the byte, and the host would let it in.
  static void RequireVouched(const tls::Engine& engine, size_t host, Span plain) {
    Require(engine.verdict().accepted() && plain.size() >= kTrailer);
    const size_t size = size_t{plain[plain.size() - 2]} << 8 | plain[plain.size() - 1];
    const Span bytes = plain.first(plain.size() - kTrailer).last(size);
    const auto& identity = engine.verdict().identity;
    Require((identity == nullptr) == bytes.empty());
    if (identity == nullptr) {
      Require(engine.host()->spec->client_auth.mode == tls::ClientAuthMode::kOptional);
      return;
    }
    Require(
        std::ranges::equal(tls::EncodeIdentity(*identity, !identity->chain_der.empty()), bytes));
    Require(engine.verdict().holds_until >= testing::kNow);
    Require(!engine.host()->spec->client_auth.keep_leaf || !identity->chain_der.empty());
    Require(host != 3 || !std::ranges::count(identity->common_names, "client"));
  }

  testing::TestHosts hosts_;
  tls::TicketKeys keys_;
  std::array<std::array<Genuine, 2>, kHosts.size()> genuine_;
};

// The genuine plaintext with `identity` in place of its own.
Octets WithIdentity(const Genuine& genuine, Span identity) {
  Octets plain = genuine.plain;
  plain.resize(plain.size() - kTrailer - genuine.identity_size);
  plain.insert(plain.end(), identity.begin(), identity.end());
  plain.push_back(static_cast<uint8_t>(identity.size() >> 8));
  plain.push_back(static_cast<uint8_t>(identity.size()));
  return plain;
}

Octets WithChanges(const Genuine& genuine, Span changes) {
  Octets plain = genuine.plain;
  for (; changes.size() >= 3; changes = changes.subspan(3)) {
    plain[(size_t{changes[0]} << 8 | changes[1]) % plain.size()] ^= changes[2];
  }
  return plain;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto* const kService = new Service();
  if (size == 0 || size > 20'000) return 0;
  const uint16_t version = (data[0] & 1) != 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
  const size_t host = data[0] >> 1 & 3;
  const Span rest(data + 1, size - 1);
  const Genuine& genuine = kService->Visit(host, version);
  Octets plain;
  switch (data[0] >> 3 & 3) {
    case 0:
      kService->RequireForeign(rest, host);
      if (!rest.empty()) Require(!kService->Offer(host, version, rest, {}));
      return 0;
    case 1:
      plain.assign(rest.begin(), rest.end());
      break;
    case 2:
      plain = WithIdentity(genuine, rest);
      break;
    default:
      plain = WithChanges(genuine, rest);
      break;
  }
  const bool resumed = kService->Offer(host, version, kService->Seal(plain, host), plain);
  // What was not touched resumes, but where policy has changed since.
  if (plain == genuine.plain) Require(resumed == (host != 3));
  return 0;
}
