// Ten thousand CAs: what they cost at load and for each worker (printed, not asserted), and that a
// judgement does not get to see them.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/tls/verifier_fixture.h"
#include "tls/client_verifier.h"

namespace portcullis::tls {
namespace {

using testing::kNow;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeVerifier;
using testing::NameOf;
using testing::TestCertificate;

constexpr int kNumCas = 10'000;

class Stopwatch {
 public:
  [[nodiscard]] double Milliseconds() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
        .count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Verdict JudgeWith(ClientVerifier& verifier, const TestCertificate& leaf, PathReport* report) {
  const auto buffers = testing::MakeBuffers({&leaf});
  CRYPTO_BUFFER* const chain[] = {buffers.front().get()};
  return verifier.Judge(chain, kNow, report);
}

// A bundle of CAs by distinct names, or all of one name and told apart by key identifiers.
TrustSources ManyCas(bool one_name, std::vector<TestCertificate>& kept) {
  TrustSources sources;
  std::string pem;
  for (int i = 0; i < kNumCas; ++i) {
    TestCertificate ca =
        MakeRoot({.common_name = one_name ? "authority" : "authority number " + std::to_string(i)});
    pem += ca.Pem();
    if (i % 1000 == 999) kept.push_back(std::move(ca));
  }
  sources.cas.push_back({std::move(pem), "ca.crt"});
  return sources;
}

TEST(VerifierScale, AWorkerMeetsOnlyTheCasOfItsClients) {
  for (const bool one_name : {false, true}) {
    std::vector<TestCertificate> kept;
    const TrustSources sources = ManyCas(one_name, kept);
    const Stopwatch load;
    const auto trust = testing::ParseTrust(sources);
    std::printf("%d CAs%s: parsed in %.0f ms", kNumCas, one_name ? " of one name" : "",
                load.Milliseconds());
    ASSERT_EQ(trust->known.size(), static_cast<uint32_t>(kNumCas));
    const Stopwatch create;
    const auto verifier = MakeVerifier(trust);
    std::printf(", verifier in %.2f ms", create.Milliseconds());
    EXPECT_EQ(verifier->num_parsed(), 0U);
    EXPECT_EQ(verifier->ca_names().size(), one_name ? 1U : size_t{kNumCas});
    const Stopwatch judge;
    for (const TestCertificate& ca : kept) {
      PathReport report;
      const TestCertificate leaf = MakeLeaf(ca, {.common_name = "client"});
      EXPECT_EQ(NameOf(JudgeWith(*verifier, leaf, &report)), "none");
      EXPECT_EQ(report.num_nodes, 1U);
      EXPECT_EQ(report.num_signature_checks, 1U);
    }
    std::printf(", %.3f ms to make and judge a client\n", judge.Milliseconds() / 10);
    EXPECT_EQ(verifier->num_parsed(), kept.size());
    const TestCertificate stranger = MakeLeaf(MakeRoot({.common_name = "authority"}), {});
    EXPECT_EQ(NameOf(JudgeWith(*verifier, stranger, nullptr)), "unknown_ca");
    EXPECT_EQ(verifier->num_parsed(), kept.size());
  }
}

}  // namespace
}  // namespace portcullis::tls
