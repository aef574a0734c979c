#include "tls/client_hello.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

constexpr uint16_t kEcdheEcdsaGcm = 0xc02b;
constexpr uint16_t kEcdheRsaGcm = 0xc02f;
constexpr uint16_t kEcdheEcdsaCbc = 0xc009;
constexpr uint16_t kRsaGcm = 0x009c;

void Append16(std::vector<uint8_t>& out, size_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

// A ClientHello's two interesting parts, and the library's view of them.
class Hello {
 public:
  Hello& Ciphers(std::initializer_list<uint16_t> ids) {
    for (const uint16_t id : ids) Append16(ciphers_, id);
    return *this;
  }
  Hello& Versions(std::initializer_list<uint16_t> versions) {
    std::vector<uint8_t> body = {static_cast<uint8_t>(2 * versions.size())};
    for (const uint16_t version : versions) Append16(body, version);
    return Raw(TLSEXT_TYPE_supported_versions, body);
  }
  Hello& Signatures(std::initializer_list<uint16_t> schemes) {
    return List(TLSEXT_TYPE_signature_algorithms, schemes);
  }
  Hello& Groups(std::initializer_list<uint16_t> groups) {
    return List(TLSEXT_TYPE_supported_groups, groups);
  }
  Hello& Raw(uint16_t type, const std::vector<uint8_t>& body) {
    Append16(extensions_, type);
    Append16(extensions_, body.size());
    extensions_.insert(extensions_.end(), body.begin(), body.end());
    return *this;
  }
  [[nodiscard]] ClientOffer Offer() const {
    SSL_CLIENT_HELLO hello = {};
    hello.cipher_suites = ciphers_.data();
    hello.cipher_suites_len = ciphers_.size();
    hello.extensions = extensions_.data();
    hello.extensions_len = extensions_.size();
    return ReadOffer(hello);
  }

 private:
  Hello& List(uint16_t type, std::initializer_list<uint16_t> values) {
    std::vector<uint8_t> body;
    Append16(body, 2 * values.size());
    for (const uint16_t value : values) Append16(body, value);
    return Raw(type, body);
  }

  std::vector<uint8_t> ciphers_;
  std::vector<uint8_t> extensions_;
};

ClientOffer Tls13(std::initializer_list<uint16_t> schemes) {
  return Hello().Versions({TLS1_3_VERSION, TLS1_2_VERSION}).Signatures(schemes).Offer();
}

TEST(ClientHello, Tls13TiesEachSchemeToItsCurve) {
  const ClientOffer offer = Tls13({SSL_SIGN_ECDSA_SECP256R1_SHA256});
  EXPECT_TRUE(CanVerify(offer, KeyKind::kEcdsaP256, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer, KeyKind::kEcdsaP384, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer, KeyKind::kEcdsaP521, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer, KeyKind::kEd25519, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer, KeyKind::kRsa, TLS1_3_VERSION));
}

TEST(ClientHello, Tls13RsaNeedsPss) {
  EXPECT_FALSE(CanVerify(Tls13({SSL_SIGN_RSA_PKCS1_SHA256}), KeyKind::kRsa, TLS1_3_VERSION));
  EXPECT_TRUE(CanVerify(Tls13({SSL_SIGN_RSA_PSS_RSAE_SHA384}), KeyKind::kRsa, TLS1_3_VERSION));
}

TEST(ClientHello, Tls12EcdsaNeedsCurveAndSuiteAndAnyHash) {
  const auto offer = [](std::initializer_list<uint16_t> groups, uint16_t cipher) {
    return Hello()
        .Ciphers({cipher})
        .Signatures({SSL_SIGN_ECDSA_SECP384R1_SHA384})
        .Groups(groups)
        .Offer();
  };
  EXPECT_TRUE(CanVerify(offer({29, 23}, kEcdheEcdsaGcm), KeyKind::kEcdsaP256, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer({29, 24}, kEcdheEcdsaGcm), KeyKind::kEcdsaP256, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer({29, 23}, kEcdheRsaGcm), KeyKind::kEcdsaP256, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer({29, 23}, kEcdheEcdsaCbc), KeyKind::kEcdsaP256, TLS1_3_VERSION));
}

TEST(ClientHello, Tls12WithoutGroupsSupportsAnyCurve) {
  const ClientOffer offer =
      Hello().Ciphers({kEcdheEcdsaGcm}).Signatures({SSL_SIGN_ECDSA_SECP256R1_SHA256}).Offer();
  EXPECT_TRUE(CanVerify(offer, KeyKind::kEcdsaP256, TLS1_3_VERSION));
  EXPECT_TRUE(CanVerify(offer, KeyKind::kEcdsaP384, TLS1_3_VERSION));
}

TEST(ClientHello, Tls12RsaNeedsAnEphemeralSuite) {
  const auto offer = [](uint16_t cipher) {
    return Hello().Ciphers({cipher}).Signatures({SSL_SIGN_RSA_PKCS1_SHA256}).Offer();
  };
  EXPECT_TRUE(CanVerify(offer(kEcdheRsaGcm), KeyKind::kRsa, TLS1_3_VERSION));
  EXPECT_FALSE(CanVerify(offer(kRsaGcm), KeyKind::kRsa, TLS1_3_VERSION));
}

TEST(ClientHello, OurOwnCeilingDecidesWhichRulesHold) {
  // Speaks TLS 1.3 and could only verify RSA by PKCS #1: fine where we stop at TLS 1.2.
  const ClientOffer offer = Hello()
                                .Versions({TLS1_3_VERSION, TLS1_2_VERSION})
                                .Ciphers({kEcdheRsaGcm})
                                .Signatures({SSL_SIGN_RSA_PKCS1_SHA256})
                                .Offer();
  EXPECT_FALSE(CanVerify(offer, KeyKind::kRsa, TLS1_3_VERSION));
  EXPECT_TRUE(CanVerify(offer, KeyKind::kRsa, TLS1_2_VERSION));
}

TEST(ClientHello, EllipticKeysGoBeforeRsaAndTheFirstOfThemWins) {
  const std::vector<KeyKind> kinds = {KeyKind::kRsa, KeyKind::kEcdsaP384, KeyKind::kEcdsaP256};
  EXPECT_EQ(ChooseCredential(Tls13({SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_ECDSA_SECP256R1_SHA256,
                                    SSL_SIGN_ECDSA_SECP384R1_SHA384}),
                             kinds, TLS1_3_VERSION),
            1U);
  EXPECT_EQ(ChooseCredential(Tls13({SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_ECDSA_SECP256R1_SHA256}),
                             kinds, TLS1_3_VERSION),
            2U);
  EXPECT_EQ(ChooseCredential(Tls13({SSL_SIGN_RSA_PSS_RSAE_SHA256}), kinds, TLS1_3_VERSION), 0U);
}

TEST(ClientHello, TheFirstOfSeveralRsaKeysWins) {
  const std::vector<KeyKind> kinds = {KeyKind::kEcdsaP256, KeyKind::kRsa, KeyKind::kRsa};
  EXPECT_EQ(ChooseCredential(Tls13({SSL_SIGN_RSA_PSS_RSAE_SHA256}), kinds, TLS1_3_VERSION), 1U);
}

TEST(ClientHello, NothingVerifiableFallsBackToTheFirst) {
  const std::vector<KeyKind> kinds = {KeyKind::kEcdsaP256, KeyKind::kRsa};
  EXPECT_EQ(ChooseCredential(Hello().Offer(), kinds, TLS1_3_VERSION), 0U);
}

TEST(ClientHello, WhatDoesNotParseIsNotOffered) {
  for (const std::vector<uint8_t>& body : std::vector<std::vector<uint8_t>>{
           {}, {0}, {0, 9, 8, 4}, {255, 255, 8, 4}, {0, 3, 8, 4, 8}}) {
    const ClientOffer offer = Hello()
                                  .Ciphers({kEcdheRsaGcm})
                                  .Raw(TLSEXT_TYPE_supported_versions, body)
                                  .Raw(TLSEXT_TYPE_signature_algorithms, body)
                                  .Raw(TLSEXT_TYPE_supported_groups, body)
                                  .Offer();
    EXPECT_FALSE(offer.has_tls13);
    EXPECT_FALSE(CanVerify(offer, KeyKind::kEcdsaP256, TLS1_3_VERSION));
  }
}

}  // namespace
}  // namespace portcullis::tls
