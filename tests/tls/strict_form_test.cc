// The strict profile's rules on version, serial number, names, validity and algorithms.
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "tests/tls/crl_maker.h"
#include "tests/tls/strict_fixture.h"
#include "tls/strict_rules.h"

namespace portcullis::tls {
namespace {

using testing::ByteVector;
using testing::CheckStrictOf;
using testing::kCaDepth;
using testing::kLeafDepth;
using testing::kRootDepth;
using testing::MakeLeaf;
using testing::TestKey;

class StrictFormTest : public testing::StrictTest {
 protected:
  static testing::Alter Serial(testing::ByteVector bytes, bool negative = false) {
    return [bytes = std::move(bytes), negative](X509* x509) {
      const bssl::UniquePtr<BIGNUM> number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
      BN_set_negative(number.get(), negative ? 1 : 0);
      const bssl::UniquePtr<ASN1_INTEGER> serial(BN_to_ASN1_INTEGER(number.get(), nullptr));
      EXPECT_EQ(X509_set_serialNumber(x509, serial.get()), 1);
    };
  }

  static testing::Alter Key(const bssl::UniquePtr<EVP_PKEY>& key) {
    return [&key](X509* x509) { EXPECT_EQ(X509_set_pubkey(x509, key.get()), 1); };
  }

  // A public key with a modulus of that many bits, of which nobody has the private half.
  static bssl::UniquePtr<EVP_PKEY> RsaKey(int bits) {
    bssl::UniquePtr<BIGNUM> modulus(BN_new());
    bssl::UniquePtr<BIGNUM> exponent(BN_new());
    EXPECT_EQ(BN_set_bit(modulus.get(), bits - 1), 1);
    EXPECT_EQ(BN_add_word(modulus.get(), 1), 1);
    EXPECT_EQ(BN_set_word(exponent.get(), RSA_F4), 1);
    const bssl::UniquePtr<RSA> rsa(RSA_new());
    EXPECT_EQ(RSA_set0_key(rsa.get(), modulus.release(), exponent.release(), nullptr), 1);
    bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
    EXPECT_EQ(EVP_PKEY_set1_RSA(key.get(), rsa.get()), 1);
    return key;
  }

  [[nodiscard]] ByteVector DerAt(size_t depth) const {
    return (depth == kLeafDepth ? leaf_ : depth == kCaDepth ? ca_ : root_).Der();
  }

  // ecdsa-with-SHA256 made ecdsa-with-SHA384 inside, outside, or both. Nobody has signed that.
  [[nodiscard]] ByteVector WithSha384(size_t depth, bool inside, bool outside) const {
    static constexpr uint8_t kSha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48,
                                          0xce, 0x3d, 0x04, 0x03, 0x02};
    ByteVector der = DerAt(depth);
    const auto inner = std::ranges::search(der, kSha256);
    const auto outer = std::ranges::find_end(der, kSha256);
    EXPECT_NE(inner.begin(), outer.begin());
    if (inside) inner.back() = 0x03;
    if (outside) outer.back() = 0x03;
    return der;
  }

  // issuerUniqueID ([1]) or subjectUniqueID ([2]) in front of the extensions.
  [[nodiscard]] ByteVector WithUniqueId(size_t depth, uint8_t number) const {
    const ByteVector der = DerAt(depth);
    CBS in;
    CBS certificate;
    CBS tbs;
    CBS_init(&in, der.data(), der.size());
    EXPECT_EQ(CBS_get_asn1(&in, &certificate, CBS_ASN1_SEQUENCE), 1);
    EXPECT_EQ(CBS_get_asn1(&certificate, &tbs, CBS_ASN1_SEQUENCE), 1);
    const auto octets = [](const CBS& cbs) {
      return ByteVector(CBS_data(&cbs), CBS_data(&cbs) + CBS_len(&cbs));
    };
    ByteVector fields;
    CBS field;
    CBS_ASN1_TAG tag = 0;
    while (CBS_get_any_asn1_element(&tbs, &field, &tag, nullptr) == 1) {
      if (tag == (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3)) {
        const uint8_t id = static_cast<uint8_t>(0x80 | number);
        fields = testing::Join({fields, testing::Tlv(id, {0x00, 0x42})});
      }
      fields = testing::Join({fields, octets(field)});
    }
    return testing::Tlv(0x30, testing::Join({testing::Tlv(0x30, fields), octets(certificate)}));
  }
};

TEST_F(StrictFormTest, APathInOrderHasNoFault) {
  for (const size_t depth : {kLeafDepth, kCaDepth, kRootDepth}) {
    EXPECT_EQ(FaultOf(depth, [](X509*) {}), "");
  }
}

TEST_F(StrictFormTest, VersionIsThree) {
  const auto old_leaf = MakeLeaf(ca_, {.common_name = "old", .v1 = true});
  const auto old_root = testing::MakeSelfSigned({.common_name = "old", .v1 = true});
  EXPECT_EQ(CheckStrictOf({&old_leaf, &ca_, &root_}).detail, "not version 3");
  const PathFault fault = CheckStrictOf({&leaf_, &ca_, &old_root});
  EXPECT_EQ(fault.detail, "not version 3");
  EXPECT_EQ(fault.depth, kRootDepth);
  EXPECT_EQ(fault.reason, Rejection::kBadCertificate);
}

TEST_F(StrictFormTest, SerialNumbersArePositiveAndOfTwentyOctets) {
  testing::ByteVector longest(20, 0x11);
  testing::ByteVector too_long(21, 0x11);
  testing::ByteVector signed_octet(20, 0xff);  // needs another octet for its sign
  EXPECT_EQ(FaultOf(kLeafDepth, Serial(longest)), "");
  for (const testing::Alter& alter :
       {Serial(too_long), Serial(signed_octet), Serial({0}), Serial({5}, true)}) {
    EXPECT_EQ(FaultOf(kLeafDepth, alter), "serial number not positive or beyond 20 octets");
    EXPECT_EQ(FaultOf(kRootDepth, alter), "serial number not positive or beyond 20 octets");
  }
}

TEST_F(StrictFormTest, IssuersAndCasHaveNames) {
  const bssl::UniquePtr<X509_NAME> empty(X509_NAME_new());
  EXPECT_EQ(FaultOf(kLeafDepth, [&](X509* x509) { X509_set_issuer_name(x509, empty.get()); }),
            "issuer without a name");
  EXPECT_EQ(FaultOf(kCaDepth, [&](X509* x509) { X509_set_subject_name(x509, empty.get()); }),
            "CA without a name");
}

TEST_F(StrictFormTest, TimesAreToTheSecondInUtcInEitherForm) {
  const auto set = [](int type, const char* text) {
    return [type, text](X509* x509) {
      ASN1_TIME* const time = X509_getm_notBefore(x509);
      time->type = type;
      ASSERT_EQ(ASN1_STRING_set(time, text, static_cast<ossl_ssize_t>(strlen(text))), 1);
    };
  };
  EXPECT_EQ(FaultOf(kLeafDepth, set(V_ASN1_UTCTIME, "260101000000Z")), "");
  EXPECT_EQ(FaultOf(kLeafDepth, set(V_ASN1_GENERALIZEDTIME, "20260101000000Z")), "");
}

TEST_F(StrictFormTest, TimesInAnotherZoneAreNotInForm) {
  for (const char* const text : {"260101000000+0000", "260101000000-0130"}) {
    const auto set = [text](ASN1_TIME* time) {
      time->type = V_ASN1_UTCTIME;
      ASSERT_EQ(ASN1_STRING_set(time, text, static_cast<ossl_ssize_t>(strlen(text))), 1);
    };
    for (const size_t depth : {kLeafDepth, kCaDepth, kRootDepth}) {
      EXPECT_EQ(FaultOf(depth, [&](X509* x509) { set(X509_getm_notBefore(x509)); }),
                "validity not in RFC 5280's form");
      EXPECT_EQ(FaultOf(depth, [&](X509* x509) { set(X509_getm_notAfter(x509)); }),
                "validity not in RFC 5280's form");
      EXPECT_EQ(reason_, Rejection::kBadCertificate);
    }
  }
}

// Most of these the library does not read at all; the rule does not count on that.
TEST_F(StrictFormTest, TimesOfAnyOtherFormAreFaults) {
  const std::span<const StrictRule> rules = FormRules();
  const auto rule = std::ranges::find(rules, "validity not in RFC 5280's form", &StrictRule::fault);
  ASSERT_NE(rule, rules.end());
  const auto holds = [&](CBS_ASN1_TAG tag, std::string_view text) {
    CertificateFields fields;
    const TimeField good = {.tag = CBS_ASN1_UTCTIME,
                            .text = {reinterpret_cast<const uint8_t*>("260101000000Z"), 13}};
    const TimeField time = {.tag = tag,
                            .text = {reinterpret_cast<const uint8_t*>(text.data()), text.size()}};
    fields.not_before = time;
    fields.not_after = good;
    const bool as_begin = rule->holds({.fields = &fields});
    std::swap(fields.not_before, fields.not_after);
    EXPECT_EQ(rule->holds({.fields = &fields}), as_begin) << text;
    return as_begin;
  };
  const CBS_ASN1_TAG utc = CBS_ASN1_UTCTIME;
  const CBS_ASN1_TAG generalized = CBS_ASN1_GENERALIZEDTIME;
  EXPECT_TRUE(holds(utc, "491231235959Z"));
  EXPECT_TRUE(holds(utc, "500101000000Z"));
  EXPECT_TRUE(holds(generalized, "99991231235959Z"));
  EXPECT_TRUE(holds(generalized, "20260101000000Z"));
  for (const char* const text : {"", "Z", "2601010000Z", "260101000000", "260101000000z",
                                 "260101000000.5Z", "260101000000+0000", "2601010000 0Z",
                                 "20260101000000Z", "-60101000000Z", "260101000000ZZ"}) {
    EXPECT_FALSE(holds(utc, text)) << text;
  }
  for (const char* const text :
       {"", "Z", "202601010000Z", "20260101000000", "20260101000000.0Z", "20260101000000,0Z",
        "20260101000000+0000", "260101000000Z", "2026010100000xZ"}) {
    EXPECT_FALSE(holds(generalized, text)) << text;
  }
  EXPECT_FALSE(holds(CBS_ASN1_UTF8STRING, "260101000000Z"));
}

TEST_F(StrictFormTest, SignatureAlgorithmIsTheSameInsideAndOut) {
  for (const size_t depth : {kLeafDepth, kCaDepth, kRootDepth}) {
    EXPECT_EQ(FaultWith(depth, WithSha384(depth, false, false)), "");
    EXPECT_EQ(FaultWith(depth, WithSha384(depth, true, true)), "");
    EXPECT_EQ(FaultWith(depth, WithSha384(depth, true, false)),
              "signature algorithm differs inside and out");
    EXPECT_EQ(FaultWith(depth, WithSha384(depth, false, true)),
              "signature algorithm differs inside and out");
    EXPECT_EQ(reason_, Rejection::kBadCertificate);
  }
}

TEST_F(StrictFormTest, NobodyHasUniqueIdentifiers) {
  for (const size_t depth : {kLeafDepth, kCaDepth, kRootDepth}) {
    EXPECT_EQ(FaultWith(depth, DerAt(depth)), "");
    EXPECT_EQ(FaultWith(depth, WithUniqueId(depth, 1)), "unique identifiers");
    EXPECT_EQ(FaultWith(depth, WithUniqueId(depth, 2)), "unique identifiers");
    EXPECT_EQ(reason_, Rejection::kBadCertificate);
  }
}

TEST_F(StrictFormTest, KeysAreOfThePermittedKinds) {
  for (const TestKey kind : {TestKey::kEcP256, TestKey::kEcP384, TestKey::kEcP521,
                             TestKey::kEd25519, TestKey::kRsa2048}) {
    const auto other = MakeLeaf(ca_, {.key = kind});
    EXPECT_EQ(FaultOf(kLeafDepth, Key(bssl::UpRef(other.key()))), "");
  }
  const bssl::UniquePtr<EC_KEY> p224(EC_KEY_new_by_curve_name(NID_secp224r1));
  ASSERT_EQ(EC_KEY_generate_key(p224.get()), 1);
  const bssl::UniquePtr<EVP_PKEY> p224_key(EVP_PKEY_new());
  ASSERT_EQ(EVP_PKEY_set1_EC_KEY(p224_key.get(), p224.get()), 1);
  EXPECT_EQ(FaultOf(kLeafDepth, Key(p224_key)), "key algorithm not permitted");
  EXPECT_EQ(reason_, Rejection::kWeakKey);
}

TEST_F(StrictFormTest, RsaKeysAreLongAndOfWholeOctets) {
  EXPECT_EQ(FaultOf(kLeafDepth, Key(RsaKey(1024))),
            "key undecodable, below 2048 bits or not whole octets");
  EXPECT_EQ(FaultOf(kLeafDepth, Key(RsaKey(2052))),
            "key undecodable, below 2048 bits or not whole octets");
  EXPECT_EQ(FaultOf(kLeafDepth, Key(RsaKey(2056))), "");
}

TEST_F(StrictFormTest, SignaturesAreOfThePermittedKinds) {
  const auto signed_by = [&](const EVP_MD* digest) {
    const auto ca =
        testing::MakeCa(root_, {.key = TestKey::kRsa2048, .key_usage = "critical,keyCertSign"});
    const auto leaf = MakeLeaf(ca, {.common_name = "client",
                                    .extended_key_usage = "clientAuth",
                                    .subject_alt_name = "DNS:client.example",
                                    .digest = digest});
    return CheckStrictOf({&leaf, &ca, &root_}).detail;
  };
  EXPECT_EQ(signed_by(EVP_sha256()), "");
  EXPECT_EQ(signed_by(EVP_sha384()), "");
  EXPECT_EQ(signed_by(EVP_sha512()), "");
  EXPECT_EQ(signed_by(EVP_sha224()), "signature algorithm not permitted");
  EXPECT_EQ(signed_by(EVP_sha1()), "signature algorithm not permitted");
}

}  // namespace
}  // namespace portcullis::tls
