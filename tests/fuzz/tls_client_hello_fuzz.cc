// Arbitrary ciphertext into an Engine that asks for certificates, cut where the input says. The
// first byte chooses how: whatever comes, the engine must end in a state it can name, and say
// nothing after it has failed.
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

namespace {

using portcullis::tls::ClientAuthMode;
using portcullis::tls::Engine;
using portcullis::tls::HandshakeStatus;
using portcullis::tls::HostSpec;
using portcullis::tls::ReadStatus;
using portcullis::tls::RefusalStyle;
using portcullis::tls::Rejection;
using portcullis::tls::testing::TestHosts;

TestHosts& Hosts() {
  static TestHosts* const kHosts = [] {
    namespace testing = portcullis::tls::testing;
    const auto root = testing::MakeRoot({.common_name = "root"});
    const auto server = testing::MakeLeaf(root, {.common_name = "server"});
    const auto rsa = testing::MakeLeaf(root, {.key = testing::TestKey::kRsa2048});
    HostSpec spec;
    spec.name = "edge";
    spec.server_names = {"edge.example", "*.wild.example"};
    spec.credentials = {testing::MakeCredential(server), testing::MakeCredential(rsa)};
    spec.alpn = {"h2", "http/1.1"};
    spec.client_auth.mode = ClientAuthMode::kRequire;
    spec.client_auth.trust = testing::MakeTrust({&root});
    HostSpec open = spec;
    open.name = "open";
    open.server_names = {"open.example"};
    open.client_auth.mode = ClientAuthMode::kOptional;
    open.client_auth.refusal = RefusalStyle::kHttp;
    return new TestHosts({spec, open}, {.refuse_unknown_sni = true});
  }();
  return *kHosts;
}

void Require(bool condition) {
  if (!condition) std::abort();
}

void Append(void* context, const uint8_t* bytes, size_t size) {
  Require(bytes != nullptr || size == 0);
  *static_cast<size_t*>(context) += size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Engine engine(Hosts().table());
  size_t sent = 0;
  const size_t step = data[0] == 0 ? size : data[0];
  std::span<const uint8_t> rest(data + 1, size - 1);
  while (!rest.empty()) {
    const auto next = rest.first(std::min(step, rest.size()));
    const std::vector<uint8_t> piece(next.begin(), next.end());
    rest = rest.subspan(piece.size());
    std::span<const uint8_t> input(piece);
    const HandshakeStatus status = engine.Handshake(input, {&sent, Append});
    if (status == HandshakeStatus::kFailed) {
      Require(engine.failure().reason != Rejection::kNone);
      Require(engine.failure().detail != nullptr);
      const size_t sent_before = sent;
      engine.Refuse(Rejection::kTimeout, {&sent, Append});
      Require(engine.Handshake(input, {&sent, Append}) == HandshakeStatus::kFailed);
      Require(sent == sent_before);
      return 0;
    }
    // Nobody can guess keys: the handshake does not complete.
    Require(status == HandshakeStatus::kWantRead && input.empty());
  }
  engine.Refuse(Rejection::kTimeout, {&sent, Append});
  return 0;
}
