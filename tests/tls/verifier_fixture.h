// What the verifier's tests share: judging chains made of test certificates. One thread.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"
#include "tls/client_verifier.h"

namespace portcullis::tls::testing {

struct VerifierOptions {
  uint32_t max_depth = 8;
  size_t max_chain_bytes = SIZE_MAX;
  int64_t now = kNow;
};

inline Verdict JudgeBuffers(const std::shared_ptr<const TrustMaterial>& trust,
                            const std::vector<bssl::UniquePtr<CRYPTO_BUFFER>>& buffers,
                            const VerifierOptions& options = {}) {
  auto verifier = ClientVerifier::Create(trust, options.max_depth, options.max_chain_bytes);
  EXPECT_TRUE(verifier.ok()) << verifier.status();
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& buffer : buffers) chain.push_back(buffer.get());
  return (*verifier)->Judge(chain, options.now);
}

inline Verdict Judge(const std::shared_ptr<const TrustMaterial>& trust,
                     std::initializer_list<const TestCertificate*> chain,
                     const VerifierOptions& options = {}) {
  return JudgeBuffers(trust, MakeBuffers(chain), options);
}

// NameOf is what a test compares: the reason's label.
inline std::string NameOf(const Verdict& verdict) { return std::string(Name(verdict.rejection)); }

}  // namespace portcullis::tls::testing
