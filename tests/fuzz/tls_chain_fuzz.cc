// A chain into ClientVerifier::Judge. The first byte chooses the trust and the options; then comes
// one certificate after the other, each by a byte: below 0xc0 one of a small PKI that the trust is
// of (cross-certificates, namesakes, constraints, loops); below 0xe0 one of these with a byte
// changed, at a 16-bit place; else arbitrary bytes of 16-bit length.
//
// A verdict must always come out, within the search's bounds; who is accepted must have an identity
// that holds when asked again, and who is not, a certificate at fault. Whom the strict profile
// accepts the compatible one does too.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tests/tls/test_pki.h"
#include "tls/client_verifier.h"

namespace {

using portcullis::tls::ClientVerifier;
using portcullis::tls::PathReport;
using portcullis::tls::Profile;
using portcullis::tls::Rejection;
using portcullis::tls::TrustSources;
using portcullis::tls::Verdict;
namespace testing = portcullis::tls::testing;
using testing::TestCertificate;

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Pki {
  TestCertificate root = testing::MakeRoot({.common_name = "root"});
  TestCertificate bound = testing::MakeRoot({.common_name = "bound", .path_length = 0});
  TestCertificate twin = testing::MakeRoot({.common_name = "root", .key_ids = false});
  TestCertificate ca = testing::MakeCa(root, {.common_name = "ca"});
  TestCertificate cross =
      testing::Reissue(bound, ca, {.common_name = "ca", .is_ca = true, .key_ids = false});
  TestCertificate expired = testing::Reissue(
      root, ca, {.common_name = "ca", .not_after = testing::kNow - 1, .is_ca = true});
  TestCertificate names = testing::MakeCa(
      ca, {.common_name = "names",
           .name_constraints = "critical,permitted;IP:10.0.0.0/255.0.0.0,permitted;DNS:a.example,"
                               "excluded;email:b.example,excluded;URI:c.example"});
  TestCertificate loop = testing::Reissue(names, ca, {.common_name = "ca", .is_ca = true});
  TestCertificate leaf = testing::MakeLeaf(ca, {.common_name = "leaf", .serial = 66});
  TestCertificate named = testing::MakeLeaf(
      names, {.common_name = "named",
              .subject_alt_name = "IP:10.1.2.3,DNS:x.a.example,URI:spiffe://td.example/a,"
                                  "email:u@a.example",
              .distribution_points = "URI:http://crl.example/a.crl"});
  TestCertificate rsa =
      testing::MakeLeaf(root, {.common_name = "rsa", .key = testing::TestKey::kRsa2048});
  TestCertificate direct = testing::MakeLeaf(twin, {.common_name = "direct", .key_ids = false});
  // As the strict profile wants them.
  TestCertificate exact_root =
      testing::MakeRoot({.common_name = "exact root", .key_usage = "critical,keyCertSign,cRLSign"});
  TestCertificate exact_ca = testing::MakeCa(
      exact_root, {.common_name = "exact ca",
                   .key_usage = "critical,keyCertSign,cRLSign",
                   .name_constraints = "critical,permitted;DNS:example,permitted;IP:10.0.0.0/"
                                       "255.0.0.0,excluded;DNS:b.example"});
  TestCertificate exact = testing::MakeLeaf(exact_ca, {.common_name = "a.example",
                                                       .key_usage = "critical,digitalSignature",
                                                       .extended_key_usage = "clientAuth",
                                                       .subject_alt_name = "DNS:a.example,"
                                                                           "IP:10.1.2.3",
                                                       .serial = 67});
  TestCertificate outside = testing::MakeLeaf(exact_ca, {.common_name = "b.example",
                                                         .key_usage = "critical,digitalSignature",
                                                         .extended_key_usage = "clientAuth",
                                                         .subject_alt_name = "DNS:b.example"});

  [[nodiscard]] std::vector<std::vector<uint8_t>> All() const {
    std::vector<std::vector<uint8_t>> all;
    for (const TestCertificate* const one :
         {&leaf, &named, &rsa, &direct, &ca, &cross, &expired, &names, &loop, &root, &bound, &twin,
          &exact, &outside, &exact_ca, &exact_root}) {
      all.push_back(one->Der());
    }
    return all;
  }
};

constexpr unsigned kStrict = 16;
constexpr unsigned kRequireCrls = 32;
constexpr unsigned kNarrow = 64;  // little may be presented, and searched
constexpr unsigned kNumVerifiers = 128;

std::unique_ptr<ClientVerifier> MakeVerifier(const Pki& pki, unsigned options) {
  TrustSources sources;
  sources.cas.push_back(
      {pki.root.Pem() + pki.bound.Pem() + pki.rsa.Pem() + pki.exact_root.Pem(), "ca.crt"});
  if ((options & 1) != 0) {
    sources.crls.push_back(
        {testing::MakeCrlPem(pki.root, {66}) + testing::MakeCrlPem(pki.exact_root, {}), "ca.crl"});
    sources.crls.push_back({testing::MakeCrlPem(pki.exact_ca, {68}), "exact.crl"});
    // Without its issuer nobody could tell whose word the last one is.
    sources.intermediates.push_back({pki.exact_ca.Pem(), "exact.crt"});
  }
  if ((options & 2) != 0) sources.cas.push_back({pki.twin.Pem() + pki.names.Pem(), "more.crt"});
  if ((options & 4) != 0) sources.intermediates.push_back({pki.ca.Pem(), "between.crt"});
  portcullis::tls::RevocationSpec revocation;
  if ((options & kRequireCrls) != 0) {
    revocation = {.mode = portcullis::tls::RevocationMode::kRequire, .grace_s = testing::kHour};
  }
  const bool narrow = (options & kNarrow) != 0;
  auto verifier = ClientVerifier::Create(
      testing::ParseTrust(sources, revocation),
      {.max_depth = narrow ? 1U : 4U,
       .max_chain_bytes = narrow ? 1500U : 64U * 1024,
       .profile = (options & kStrict) != 0 ? Profile::kStrict : Profile::kCompatible,
       .intermediates_as_anchors = (options & 8) == 0});
  Require(verifier.ok());
  return *std::move(verifier);
}

// Reads one certificate; advances `data`.
std::vector<uint8_t> Next(std::span<const uint8_t>& data,
                          const std::vector<std::vector<uint8_t>>& pki) {
  const uint8_t kind = data.front();
  data = data.subspan(1);
  if (kind < 0xc0) return pki[kind % pki.size()];
  if (data.size() < 2) {
    data = {};
    return {};
  }
  const size_t number = static_cast<size_t>(data[0]) << 8 | data[1];
  data = data.subspan(2);
  std::vector<uint8_t> der;
  if (kind >= 0xe0) {
    const size_t length = std::min(number, data.size());
    der.assign(data.begin(), data.begin() + static_cast<ptrdiff_t>(length));
    data = data.subspan(length);
  } else if (!data.empty()) {
    der = pki[kind % pki.size()];
    der[number % der.size()] ^= data.front();
    data = data.subspan(1);
  }
  return der;
}

// Whether the chain was accepted.
bool Check(ClientVerifier& verifier, std::span<CRYPTO_BUFFER* const> chain) {
  PathReport report;
  const Verdict verdict = verifier.Judge(chain, testing::kNow, &report);
  Require(verdict.rejection != Rejection::kInternal);
  Require(!chain.empty() || verdict.rejection == Rejection::kNoCertificate);
  Require(report.num_nodes <= portcullis::tls::kMaxSearchNodes);
  Require(report.num_signature_checks <= portcullis::tls::kMaxSignatureChecks);
  if (!verdict.accepted()) {
    Require(chain.empty() || verdict.x509_error != 0);
    return false;
  }
  Require(verdict.identity != nullptr && report.ends_in_anchor);
  Require(report.path.size() == verdict.identity->path.size() + 1);
  const Verdict again = verifier.Recheck(verdict.identity, testing::kNow);
  Require(again.accepted() && again.holds_until == verdict.holds_until);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const Pki* const kPki = new Pki();
  static const auto* const kAll = new std::vector<std::vector<uint8_t>>(kPki->All());
  static std::unique_ptr<ClientVerifier>* const kVerifiers =
      new std::unique_ptr<ClientVerifier>[kNumVerifiers];
  if (size == 0) return 0;
  const auto verifier_of = [](unsigned options) -> ClientVerifier& {
    std::unique_ptr<ClientVerifier>& verifier = kVerifiers[options];
    if (verifier == nullptr) verifier = MakeVerifier(*kPki, options);
    return *verifier;
  };
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> buffers;
  std::vector<CRYPTO_BUFFER*> chain;
  for (std::span<const uint8_t> data(bytes + 1, size - 1); !data.empty();) {
    const std::vector<uint8_t> der = Next(data, *kAll);
    buffers.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    chain.push_back(buffers.back().get());
  }
  const unsigned options = bytes[0] % kNumVerifiers;
  const bool accepted = Check(verifier_of(options), chain);
  if (accepted && (options & kStrict) != 0) {
    Require(verifier_of(options - kStrict).Judge(chain, testing::kNow).accepted());
  }
  return 0;
}
