// Arbitrary bytes as an OCSP response: parsed, verified and asked. The issuer has a key that nobody
// signs with, so nothing may ever verify.
#include <cstdint>
#include <cstdlib>

#include "tests/tls/test_pki.h"
#include "tls/ocsp_response.h"

namespace {

namespace tls = portcullis::tls;

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const tls::testing::TestCertificate* const kRoot =
      new tls::testing::TestCertificate(tls::testing::MakeRoot({.common_name = "root"}));
  static constexpr uint8_t kSerial[] = {0x12, 0x34};
  static const tls::OcspCertId* const kId = new tls::OcspCertId(kRoot->x509(), kSerial);
  tls::OcspResponse response;
  if (!tls::ParseOcspResponse({data, size}, response).empty()) return 0;
  Require(response.tbs.data() > data && response.tbs.data() + response.tbs.size() <= data + size);
  Require(!tls::VerifyOcspResponse(response, kRoot->x509(), tls::testing::kNow).empty());
  tls::OcspAnswer answer;
  if (tls::FindOcspAnswer(response, *kId, answer).empty()) {
    static_cast<void>(tls::OcspFreshUntil(answer, tls::testing::kNow));
  }
  return 0;
}
