// Version, serial number, names, validity and algorithms: RFC 5280 4.1, CA/Browser Forum 6.1.5 and
// 7.1.3.
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "tls/boringssl_compat.h"
#include "tls/strict_rules.h"

namespace portcullis::tls {
namespace {

constexpr size_t kMaxSerialOctets = 20;
constexpr int kMinRsaBits = 2048;

// Whole AlgorithmIdentifiers: parameters are part of what may be said (RFC 4055 5, 5758 3.2, 8410
// 3; RFC 3279 2.3, 5480 2.1.1).
constexpr uint8_t kRsaSha256[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};
constexpr uint8_t kRsaSha384[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00};
constexpr uint8_t kRsaSha512[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00};
constexpr uint8_t kEcdsaSha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
constexpr uint8_t kEcdsaSha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
constexpr uint8_t kEcdsaSha512[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
constexpr uint8_t kEd25519Identifier[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
constexpr uint8_t kRsaKey[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                               0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
constexpr uint8_t kP256Key[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr uint8_t kP384Key[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr uint8_t kP521Key[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

// PSS has its digests and salt in the parameters, which the library holds to the three usual sets
// when it verifies; only the type stands here.
constexpr uint8_t kRsaPssOid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};

constexpr std::array<Bytes, 7> kSignatures = {
    Bytes(kRsaSha256),   Bytes(kRsaSha384),   Bytes(kRsaSha512),        Bytes(kEcdsaSha256),
    Bytes(kEcdsaSha384), Bytes(kEcdsaSha512), Bytes(kEd25519Identifier)};
constexpr std::array<Bytes, 5> kKeys = {Bytes(kRsaKey), Bytes(kP256Key), Bytes(kP384Key),
                                        Bytes(kP521Key), Bytes(kEd25519Identifier)};

bool IsOneOf(Bytes octets, std::span<const Bytes> allowed) {
  return std::ranges::any_of(allowed,
                             [octets](Bytes each) { return std::ranges::equal(each, octets); });
}

bool IsPss(Bytes algorithm) {
  CBS element = ToCbs(algorithm);
  CBS content;
  if (CBS_get_asn1(&element, &content, CBS_ASN1_SEQUENCE) != 1) return false;
  const Bytes octets = ToBytes(content);
  return octets.size() > sizeof(kRsaPssOid) &&
         std::ranges::equal(octets.first(sizeof(kRsaPssOid)), kRsaPssOid);
}

bool SerialIsPositive(const StrictSubject& subject) {
  const Bytes serial = subject.fields->serial;
  return !serial.empty() && serial.size() <= kMaxSerialOctets && (serial[0] & 0x80) == 0 &&
         std::ranges::any_of(serial, [](uint8_t octet) { return octet != 0; });
}

// An anchor is trusted for its key; whatever signed it proves nothing and is not asked about.
bool SignatureIsPermitted(const StrictSubject& subject) {
  const Bytes algorithm = subject.fields->outer_algorithm;
  return subject.is_anchor || IsOneOf(algorithm, kSignatures) || IsPss(algorithm);
}

// RFC 5280 4.1.2.5.1, .2: to the second, in UTC. That a CA says years until 2049 as UTCTime is its
// business: 4.1.2.5 has everyone read either form.
bool IsWellFormed(const TimeField& time) {
  const size_t digits = time.tag == CBS_ASN1_UTCTIME           ? 12
                        : time.tag == CBS_ASN1_GENERALIZEDTIME ? 14
                                                               : 0;
  return digits != 0 && time.text.size() == digits + 1 && time.text.back() == 'Z' &&
         std::ranges::all_of(time.text.first(digits),
                             [](uint8_t octet) { return octet >= '0' && octet <= '9'; });
}

bool KeyIsStrong(const StrictSubject& subject) {
  const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(subject.certificate);
  if (key == nullptr) return false;
  if (EVP_PKEY_id(key.get()) != EVP_PKEY_RSA) return true;
  const int bits = EVP_PKEY_bits(key.get());
  return bits >= kMinRsaBits && bits % 8 == 0;
}

constexpr StrictRule kFormRules[] = {
    {"not version 3", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return s.fields->version == 2; }},
    {"serial number not positive or beyond 20 octets", Rejection::kBadCertificate,
     SerialIsPositive},
    {"signature algorithm differs inside and out", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return std::ranges::equal(s.fields->inner_algorithm, s.fields->outer_algorithm);
     }},
    {"signature algorithm not permitted", Rejection::kWeakKey, SignatureIsPermitted},
    {"issuer without a name", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return !s.fields->issuer.empty(); }},
    {"CA without a name", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return s.is_leaf || !s.fields->subject.empty(); }},
    {"validity not in RFC 5280's form", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return IsWellFormed(s.fields->not_before) && IsWellFormed(s.fields->not_after);
     }},
    {"key algorithm not permitted", Rejection::kWeakKey,
     [](const StrictSubject& s) { return IsOneOf(s.fields->key_algorithm, kKeys); }},
    {"key undecodable, below 2048 bits or not whole octets", Rejection::kWeakKey, KeyIsStrong},
    {"unique identifiers", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return !s.fields->has_unique_id; }},
};

}  // namespace

std::span<const StrictRule> FormRules() { return kFormRules; }

}  // namespace portcullis::tls
