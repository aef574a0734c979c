// Arbitrary bytes as a CRL: parsed, its entries walked, and indexed twice: as it is, when its
// signature will not verify, as an unknown issuer's; and signed anew by an issuer of the name that
// it says, as that one's word. Nothing may be read beyond its end; whom it lists is refused.
#include <openssl/bytestring.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/tls/crl_maker.h"
#include "tests/tls/test_pki.h"
#include "tls/crl_parser.h"
#include "tls/issuer_id.h"
#include "tls/name_canonical.h"
#include "tls/revocation_index.h"

namespace {

namespace testing = portcullis::tls::testing;
namespace tls = portcullis::tls;

using testing::kNow;
using testing::Octets;

constexpr uint8_t kSequence = 0x30;

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Listed {
  Octets last;          // the serial of the last entry that is the CRL issuer's own; empty: none
  bool lifted = false;  // an entry takes one off the list, maybe that one
  bool odd = false;     // an entry says something critical, or is another issuer's
};

Listed Walk(const tls::Crl& crl) {
  Listed listed;
  tls::CrlEntries entries(crl);
  tls::CrlEntry entry;
  while (entries.Next(entry)) {
    Require(!entry.serial.empty());
    if (entry.reason != tls::kReasonRemoveFromCrl) {
      listed.last.assign(entry.serial.begin(), entry.serial.end());
    } else {
      listed.lifted = true;
    }
    listed.odd = listed.odd || entry.unknown_critical || !entry.certificate_issuer.empty();
  }
  return listed;
}

// The CA that the CRL names, by name and key identifier.
testing::TestCertificate IssuerOf(const tls::Crl& crl, X509_NAME* name) {
  static const auto* const kCa = new testing::TestCertificate(testing::MakeRoot(
      {.common_name = "ca", .key_usage = "critical,keyCertSign,cRLSign", .key_ids = false}));
  bssl::UniquePtr<X509> ca(X509_dup(kCa->x509()));
  Require(X509_set_subject_name(ca.get(), name) == 1);
  if (!crl.authority_key_id.empty()) {
    const bssl::UniquePtr<ASN1_OCTET_STRING> id(ASN1_OCTET_STRING_new());
    Require(ASN1_OCTET_STRING_set(id.get(), crl.authority_key_id.data(),
                                  static_cast<int>(crl.authority_key_id.size())) == 1);
    Require(X509_add1_ext_i2d(ca.get(), NID_subject_key_identifier, id.get(), 0, 0) == 1);
  }
  Require(X509_sign(ca.get(), kCa->key(), EVP_sha256()) > 0);
  return {std::move(ca), bssl::UpRef(kCa->key())};
}

// The same CRL with `issuer`'s signature, and its algorithm inside too.
std::string SignedBy(const testing::TestCertificate& issuer, const tls::Crl& crl) {
  const Octets algorithm = testing::AlgorithmOf(issuer, testing::CrlSignature::kUsual);
  CBS in = tls::ToCbs(crl.tbs);
  CBS tbs;
  CBS version;
  CBS inner;
  Require(CBS_get_asn1(&in, &tbs, CBS_ASN1_SEQUENCE) == 1);
  CBS_init(&version, nullptr, 0);
  int has_version = 0;
  Require(CBS_get_optional_asn1(&tbs, &version, &has_version, CBS_ASN1_INTEGER) == 1);
  Require(CBS_get_asn1_element(&tbs, &inner, CBS_ASN1_SEQUENCE) == 1);
  const auto octets = [](const CBS& cbs) {
    return Octets(CBS_data(&cbs), CBS_data(&cbs) + CBS_len(&cbs));
  };
  const Octets anew = testing::Tlv(
      kSequence, testing::Join({has_version != 0 ? testing::Tlv(0x02, octets(version)) : Octets(),
                                algorithm, octets(tbs)}));
  const Octets der = testing::Tlv(
      kSequence,
      testing::Join(
          {anew, algorithm, testing::SignatureOf(issuer, testing::CrlSignature::kUsual, anew)}));
  return {der.begin(), der.end()};
}

// What a verified index says of those listed, and of one who is not.
void CheckVerified(const tls::Crl& crl, const Listed& listed, X509_NAME* name) {
  const testing::TestCertificate issuer = IssuerOf(crl, name);
  const Octets der = issuer.Der();
  const std::vector<tls::CrlIssuer> issuers = {{.certificate_der = der}};
  const std::vector<tls::CrlSource> sources = {
      {.bytes = SignedBy(issuer, crl), .origin = "signed"}};
  const auto index = tls::RevocationIndex::Build(sources, issuers, kNow);
  Require(index.ok() && (*index)->summaries().size() == 1);
  const tls::CrlSummary& summary = (*index)->summaries().front();
  Require(summary.is_in_use || !summary.oddity.empty());
  tls::PathLink link;
  link.issuer = tls::MakeIssuerId(issuer.x509());
  const bool for_all = summary.is_in_use && crl.scope_der.empty() && !crl.is_delta;
  for (const auto mode : {tls::RevocationMode::kSoft, tls::RevocationMode::kRequire}) {
    if (!listed.last.empty() && !listed.lifted && for_all) {
      link.serial = listed.last;
      Require((*index)->Ask(link, {.mode = mode}, kNow).rejection == tls::Rejection::kRevoked);
    }
    link.serial.assign(21, 0x5a);
    if (listed.last != link.serial) {  // Nobody has named it but on purpose.
      const auto answer = (*index)->Ask(link, {.mode = mode}, kNow);
      const bool is_fresh = crl.next_update == 0 || crl.next_update >= kNow;
      Require(!for_all || !is_fresh || listed.odd || crl.unknown_critical ||
              crl.this_update > kNow || answer.rejection == tls::Rejection::kNone);
    }
  }
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
  const Listed listed = Walk(crl);
  const Octets& serial = listed.last;
  const auto issuer = tls::ParseName(crl.issuer);
  Require(issuer != nullptr);
  CheckVerified(crl, listed, issuer.get());
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
