// Arbitrary bytes as a CRL: parsed, its entries walked, and, as its signature will not verify,
// indexed as an unknown issuer's. Nothing may be read beyond its end; whom it lists is refused.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tls/crl_parser.h"
#include "tls/issuer_id.h"
#include "tls/name_canonical.h"
#include "tls/revocation_index.h"

namespace {

namespace tls = portcullis::tls;

constexpr int64_t kNow = 1'800'000'000;

void Require(bool condition) {
  if (!condition) std::abort();
}

// The serial of the last entry that is the CRL issuer's own; empty without one.
std::vector<uint8_t> LastSerial(const tls::Crl& crl) {
  std::vector<uint8_t> serial;
  tls::CrlEntries entries(crl);
  tls::CrlEntry entry;
  while (entries.Next(entry)) {
    Require(!entry.serial.empty());
    if (entry.reason != tls::kReasonRemoveFromCrl) {
      serial.assign(entry.serial.begin(), entry.serial.end());
    }
  }
  return serial;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tls::Crl crl;
  const bool parses = tls::ParseCrl({data, size}, crl).empty();
  const std::vector<tls::CrlSource> sources = {
      {.bytes = std::string(reinterpret_cast<const char*>(data), size), .origin = "fuzz"}};
  const auto index = tls::RevocationIndex::Build(sources, {}, kNow);
  Require(!index.ok() || parses || sources[0].bytes.find("-----BEGIN") != std::string::npos);
  if (!index.ok() || !parses) return 0;
  const std::vector<uint8_t> serial = LastSerial(crl);
  const auto issuer = tls::ParseName(crl.issuer);
  Require(issuer != nullptr);
  tls::PathLink link;
  const uint64_t part = tls::NamePartOf(tls::CanonicalName(*issuer));
  for (size_t i = 0; i < sizeof(part); ++i) {
    link.issuer[i] = static_cast<uint8_t>(part >> 8 * (sizeof(part) - 1 - i));
  }
  link.serial = serial;
  const auto answer = (*index)->Ask(link, {}, kNow);
  Require(serial.empty() || crl.scope.indirect || answer.rejection == tls::Rejection::kRevoked);
  Require((*index)->Ask(link, {.mode = tls::RevocationMode::kOff}, kNow).rejection ==
          tls::Rejection::kNone);
  return 0;
}
