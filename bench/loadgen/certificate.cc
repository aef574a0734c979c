#include "bench/loadgen/certificate.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace portcullis::bench {
namespace {

constexpr int64_t kDay = 86'400;
constexpr uint8_t kRevokedMark = 0x7f;  // first byte of a revoked one's serial

bssl::UniquePtr<ASN1_INTEGER> ToInteger(const Serial& serial) {
  const bssl::UniquePtr<BIGNUM> number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  return bssl::UniquePtr<ASN1_INTEGER>(
      number == nullptr ? nullptr : BN_to_ASN1_INTEGER(number.get(), nullptr));
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetSubject(X509* certificate, const std::string& common_name) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto add = [name](const char* field, const char* value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                      reinterpret_cast<const uint8_t*>(value), -1, -1, 0) == 1;
  };
  return add("O", "Portcullis load") && add("CN", common_name.c_str());
}

bool AddExtensions(X509* certificate, X509* issuer, const CertificateSpec& spec) {
  const std::string name = "DNS:" + spec.common_name;
  const bool good =
      AddExtension(certificate, issuer, NID_basic_constraints,
                   spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
      AddExtension(certificate, issuer, NID_key_usage,
                   spec.is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
      AddExtension(certificate, issuer, NID_subject_key_identifier, "hash") &&
      AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid");
  return good &&
         (spec.is_ca || (AddExtension(certificate, issuer, NID_ext_key_usage, "clientAuth") &&
                         AddExtension(certificate, issuer, NID_subject_alt_name, name.c_str())));
}

template <typename F>
std::string Written(F&& write) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const uint8_t* data = nullptr;
  size_t size = 0;
  if (bio == nullptr || write(bio.get()) != 1 || BIO_mem_contents(bio.get(), &data, &size) != 1)
    return {};
  return {reinterpret_cast<const char*>(data), size};
}

bool AddRevoked(X509_CRL* crl, const Serial& serial, int64_t when) {
  bssl::UniquePtr<X509_REVOKED> entry(X509_REVOKED_new());
  const bssl::UniquePtr<ASN1_INTEGER> number = ToInteger(serial);
  const bssl::UniquePtr<ASN1_TIME> time(ASN1_TIME_set(nullptr, when));
  if (entry == nullptr || number == nullptr || time == nullptr ||
      X509_REVOKED_set_serialNumber(entry.get(), number.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), time.get()) != 1 ||
      X509_CRL_add0_revoked(crl, entry.get()) != 1) {
    return false;
  }
  // The CRL's now.
  const X509_REVOKED* const given = entry.release();
  return given != nullptr;
}

bool AddCrlExtensions(X509_CRL* crl, X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, crl, 0);
  const bssl::UniquePtr<X509_EXTENSION> key_id(
      X509V3_EXT_nconf_nid(nullptr, &context, NID_authority_key_identifier, "keyid"));
  const bssl::UniquePtr<ASN1_INTEGER> number(ASN1_INTEGER_new());
  return key_id != nullptr && number != nullptr && ASN1_INTEGER_set(number.get(), 1) == 1 &&
         X509_CRL_add_ext(crl, key_id.get(), -1) == 1 &&
         X509_CRL_add1_ext_i2d(crl, NID_crl_number, number.get(), 0, 0) == 1;
}

}  // namespace

Serial RandomSerial() {
  Serial serial;
  RAND_bytes(serial.data(), serial.size());
  serial[0] = static_cast<uint8_t>(0x40 | (serial[0] & 0x1f));  // positive, and not revoked
  return serial;
}

Serial RevokedSerial(uint64_t index) {
  Serial serial{kRevokedMark};
  for (size_t i = 0; i < sizeof(index); ++i)
    serial[serial.size() - 1 - i] = static_cast<uint8_t>(index >> (8 * i));
  return serial;
}

bssl::UniquePtr<EVP_PKEY> MakeKey(KeyKind kind) {
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (kind == KeyKind::kP256) {
    const bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
    const bool made = ec != nullptr && EC_KEY_generate_key(ec.get()) == 1 &&
                      EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1;
    return made ? std::move(key) : nullptr;
  }
  const bssl::UniquePtr<RSA> rsa(RSA_new());
  const bssl::UniquePtr<BIGNUM> exponent(BN_new());
  const bool made = BN_set_word(exponent.get(), RSA_F4) == 1 &&
                    RSA_generate_key_ex(rsa.get(), kind == KeyKind::kRsa2048 ? 2048 : 4096,
                                        exponent.get(), nullptr) == 1 &&
                    EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1;
  return made ? std::move(key) : nullptr;
}

bssl::UniquePtr<X509> MakeCertificate(const CertificateSpec& spec, EVP_PKEY* key, X509* issuer,
                                      EVP_PKEY* issuer_key) {
  bssl::UniquePtr<X509> made(X509_new());
  X509* const certificate = made.get();
  if (issuer == nullptr) issuer = certificate;
  const bssl::UniquePtr<ASN1_INTEGER> serial = ToInteger(spec.serial);
  const bool good = certificate != nullptr && serial != nullptr &&
                    X509_set_version(certificate, X509_VERSION_3) == 1 &&
                    X509_set_serialNumber(certificate, serial.get()) == 1 &&
                    ASN1_TIME_set(X509_getm_notBefore(certificate), spec.not_before) != nullptr &&
                    ASN1_TIME_set(X509_getm_notAfter(certificate), spec.not_after) != nullptr &&
                    SetSubject(certificate, spec.common_name) &&
                    X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
                    X509_set_pubkey(certificate, key) == 1 &&
                    AddExtensions(certificate, issuer, spec) &&
                    X509_sign(certificate, issuer_key, EVP_sha256()) != 0;
  return good ? std::move(made) : nullptr;
}

bssl::UniquePtr<X509_CRL> MakeCrl(X509* issuer, EVP_PKEY* issuer_key,
                                  std::span<const Serial> revoked, int64_t now) {
  bssl::UniquePtr<X509_CRL> crl(X509_CRL_new());
  const bssl::UniquePtr<ASN1_TIME> from(ASN1_TIME_set(nullptr, now - 30 * kDay));
  const bssl::UniquePtr<ASN1_TIME> until(ASN1_TIME_set(nullptr, now + 365 * kDay));
  bool good = crl != nullptr && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer)) == 1 &&
              X509_CRL_set1_lastUpdate(crl.get(), from.get()) == 1 &&
              X509_CRL_set1_nextUpdate(crl.get(), until.get()) == 1 &&
              AddCrlExtensions(crl.get(), issuer);
  for (const Serial& serial : revoked)
    good = good && AddRevoked(crl.get(), serial, now - 20 * kDay);
  good = good && X509_CRL_sort(crl.get()) == 1 &&
         X509_CRL_sign(crl.get(), issuer_key, EVP_sha256()) != 0;
  return good ? std::move(crl) : nullptr;
}

bssl::UniquePtr<CRYPTO_BUFFER> ToBuffer(X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return nullptr;
  const bssl::UniquePtr<uint8_t> owned(der);
  return bssl::UniquePtr<CRYPTO_BUFFER>(CRYPTO_BUFFER_new(der, static_cast<size_t>(size), nullptr));
}

std::string ToPem(X509* certificate) {
  return Written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string ToPem(X509_CRL* crl) {
  return Written([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, crl); });
}

std::string ToPem(EVP_PKEY* key) {
  return Written([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace portcullis::bench
