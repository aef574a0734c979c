// An arbitrary chain into ClientVerifier::Judge: certificates of 16-bit length each, the first byte
// choosing whether the trust has CRLs. A verdict must always come out, and whoever is accepted must
// have an identity.
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
using portcullis::tls::Rejection;
using portcullis::tls::TrustMaterial;
using portcullis::tls::Verdict;

void Require(bool condition) {
  if (!condition) std::abort();
}

std::unique_ptr<ClientVerifier> MakeVerifier(bool with_crl) {
  namespace testing = portcullis::tls::testing;
  static const testing::TestCertificate* const kRoot =
      new testing::TestCertificate(testing::MakeRoot({.common_name = "root"}));
  std::vector<std::string> crls;
  if (with_crl) crls.push_back(testing::MakeCrlPem(*kRoot, {66}));
  auto verifier = ClientVerifier::Create(testing::MakeTrust({kRoot}, crls),
                                         {.max_depth = 4, .max_chain_bytes = 64 * 1024});
  Require(verifier.ok());
  return *std::move(verifier);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static ClientVerifier* const kPlain = MakeVerifier(false).release();
  static ClientVerifier* const kWithCrl = MakeVerifier(true).release();
  if (size == 0) return 0;
  ClientVerifier& verifier = (data[0] & 1) != 0 ? *kWithCrl : *kPlain;
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> buffers;
  std::vector<CRYPTO_BUFFER*> chain;
  for (size_t at = 1; at + 2 <= size;) {
    const size_t wanted = static_cast<size_t>(data[at]) << 8 | data[at + 1];
    const size_t length = std::min(wanted, size - at - 2);
    buffers.emplace_back(CRYPTO_BUFFER_new(data + at + 2, length, nullptr));
    chain.push_back(buffers.back().get());
    at += 2 + length;
  }
  const Verdict verdict = verifier.Judge(chain, portcullis::tls::testing::kNow);
  Require(verdict.rejection != Rejection::kInternal);
  Require(!verdict.accepted() || verdict.identity != nullptr);
  Require(!chain.empty() || verdict.rejection == Rejection::kNoCertificate);
  return 0;
}
