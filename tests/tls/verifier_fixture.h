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

struct JudgeOptions {
  uint32_t max_depth = 8;
  size_t max_chain_bytes = SIZE_MAX;
  bool intermediates_as_anchors = true;
  Profile profile = Profile::kCompatible;
  int64_t now = kNow;
  PathReport* report = nullptr;
};

inline std::unique_ptr<ClientVerifier> MakeVerifier(
    const std::shared_ptr<const TrustMaterial>& trust, const JudgeOptions& options = {}) {
  auto verifier =
      ClientVerifier::Create(trust, {.max_depth = options.max_depth,
                                     .max_chain_bytes = options.max_chain_bytes,
                                     .profile = options.profile,
                                     .intermediates_as_anchors = options.intermediates_as_anchors});
  EXPECT_TRUE(verifier.ok()) << verifier.status();
  return *std::move(verifier);
}

inline Verdict JudgeBuffers(const std::shared_ptr<const TrustMaterial>& trust,
                            const std::vector<bssl::UniquePtr<CRYPTO_BUFFER>>& buffers,
                            const JudgeOptions& options = {}) {
  const std::unique_ptr<ClientVerifier> verifier = MakeVerifier(trust, options);
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& buffer : buffers) chain.push_back(buffer.get());
  return verifier->Judge(chain, options.now, options.report);
}

inline Verdict Judge(const std::shared_ptr<const TrustMaterial>& trust,
                     std::initializer_list<const TestCertificate*> chain,
                     const JudgeOptions& options = {}) {
  return JudgeBuffers(trust, MakeBuffers(chain), options);
}

// NameOf is what a test compares: the reason's label.
inline std::string NameOf(const Verdict& verdict) { return std::string(Name(verdict.rejection)); }

}  // namespace portcullis::tls::testing
