#include "tests/tls/ocsp_maker.h"

#include <openssl/mem.h>
#include <openssl/sha.h>

#include <ctime>

namespace portcullis::tls::testing {
namespace {

constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kOctetString = 0x04;

Octets NameDer(const TestCertificate& certificate) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  if (X509_NAME_get0_der(X509_get_subject_name(certificate.x509()), &der, &size) != 1) return {};
  return {der, der + size};
}

Octets KeyBits(const TestCertificate& certificate) {
  const ASN1_BIT_STRING* const bits = X509_get0_pubkey_bitstr(certificate.x509());
  const uint8_t* const data = ASN1_STRING_get0_data(bits);
  return {data, data + ASN1_STRING_length(bits)};
}

Octets Hash(const Octets& bytes, bool sha256) {
  Octets digest(sha256 ? SHA256_DIGEST_LENGTH : SHA_DIGEST_LENGTH);
  if (sha256) {
    SHA256(bytes.data(), bytes.size(), digest.data());
  } else {
    SHA1(bytes.data(), bytes.size(), digest.data());
  }
  return digest;
}

Octets CertId(const TestCertificate& issuer, const Octets& serial, bool sha256) {
  const Octets oid = sha256 ? Octets{6, 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}
                            : Octets{6, 5, 0x2b, 0x0e, 0x03, 0x02, 0x1a};
  return Tlv(kSequence, Join({Tlv(kSequence, Join({oid, {5, 0}})),
                              Tlv(kOctetString, Hash(NameDer(issuer), sha256)),
                              Tlv(kOctetString, Hash(KeyBits(issuer), sha256)), Tlv(2, serial)}));
}

Octets StatusOf(const OcspSpec& spec) {
  switch (spec.status) {
    case OcspSpec::Status::kGood:
      return {0x80, 0};
    case OcspSpec::Status::kUnknown:
      return {0x82, 0};
    case OcspSpec::Status::kRevoked:
      break;
  }
  Octets info = GeneralizedTimeOf(spec.revoked_at);
  if (spec.reason >= 0) {
    const Octets reason = Tlv(0xa0, Tlv(0x0a, {static_cast<uint8_t>(spec.reason)}));
    info.insert(info.end(), reason.begin(), reason.end());
  }
  return Tlv(0xa1, info);
}

Octets Optional(uint8_t tag, const Octets& content) {
  return content.empty() ? Octets{} : Tlv(tag, content);
}

Octets ListOf(const Octets& extensions) {
  return extensions.empty() ? Octets{} : Tlv(kSequence, extensions);
}

}  // namespace

Octets GeneralizedTimeOf(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts = {};
  gmtime_r(&time, &parts);
  char text[32];
  const size_t size = std::strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &parts);
  return Tlv(0x18, Octets(text, text + size));
}

Octets SerialOf(const TestCertificate& certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate.x509()), &der);
  const bssl::UniquePtr<uint8_t> owner(der);
  return size < 2 ? Octets{} : Octets(der + 2, der + size);
}

Octets MakeOcsp(const TestCertificate& issuer, const Octets& serial, const OcspSpec& spec) {
  if (spec.response_status != 0) return Tlv(kSequence, {0x0a, 1, spec.response_status});
  const TestCertificate& signer = spec.responder == nullptr ? issuer : *spec.responder;
  const TestCertificate& named = spec.named == nullptr ? signer : *spec.named;
  const Octets single =
      Tlv(kSequence,
          Join({CertId(issuer, serial, spec.sha256), StatusOf(spec),
                GeneralizedTimeOf(spec.this_update),
                spec.next_update == 0 ? Octets{} : Tlv(0xa0, GeneralizedTimeOf(spec.next_update)),
                Optional(0xa1, ListOf(spec.single_extensions))}));
  const Octets data =
      Tlv(kSequence, Join({spec.by_key ? Tlv(0xa2, Tlv(kOctetString, Hash(KeyBits(named), false)))
                                       : Tlv(0xa1, NameDer(named)),
                           GeneralizedTimeOf(spec.this_update), Tlv(kSequence, single),
                           Optional(0xa1, ListOf(spec.extensions))}));
  Octets certificates;
  for (const TestCertificate* const certificate : spec.certificates) {
    const Octets der = certificate->Der();
    certificates.insert(certificates.end(), der.begin(), der.end());
  }
  const Octets basic = Tlv(
      kSequence,
      Join({data, AlgorithmOf(signer, spec.signature), SignatureOf(signer, spec.signature, data),
            certificates.empty() ? Octets{} : Tlv(0xa0, Tlv(kSequence, certificates))}));
  const Octets type = {6, 9, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
  return Tlv(kSequence, Join({{0x0a, 1, 0},
                              Tlv(0xa0, Tlv(kSequence, Join({type, Tlv(kOctetString, basic)})))}));
}

}  // namespace portcullis::tls::testing
