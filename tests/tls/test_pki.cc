#include "tests/tls/test_pki.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace portcullis::tls::testing {
namespace {

// Set-up that cannot go wrong; if it does, no test's result means anything.
void Must(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "test PKI: %s failed\n", what);
  std::abort();
}

bssl::UniquePtr<EVP_PKEY> MakeEcKey(int curve) {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(curve));
  Must(ec != nullptr && EC_KEY_generate_key(ec.get()) == 1, "EC key");
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  Must(EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1, "EC key");
  return key;
}

bssl::UniquePtr<EVP_PKEY> MakeRsaKey(int bits) {
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  Must(BN_set_word(exponent.get(), RSA_F4) == 1 &&
           RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr) == 1,
       "RSA key");
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  Must(EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1, "RSA key");
  return key;
}

bssl::UniquePtr<EVP_PKEY> MakeEdKey() {
  bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
  EVP_PKEY* key = nullptr;
  Must(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1 &&
           EVP_PKEY_keygen(context.get(), &key) == 1,
       "Ed25519 key");
  return bssl::UniquePtr<EVP_PKEY>(key);
}

bssl::UniquePtr<EVP_PKEY> MakeKey(TestKey kind) {
  switch (kind) {
    case TestKey::kEcP256:
      return MakeEcKey(NID_X9_62_prime256v1);
    case TestKey::kEcP384:
      return MakeEcKey(NID_secp384r1);
    case TestKey::kEcP521:
      return MakeEcKey(NID_secp521r1);
    case TestKey::kEd25519:
      return MakeEdKey();
    case TestKey::kRsa1024: {
      static EVP_PKEY* const kKey = MakeRsaKey(1024).release();
      return bssl::UpRef(kKey);
    }
    case TestKey::kRsa2048: {
      static EVP_PKEY* const kKey = MakeRsaKey(2048).release();
      return bssl::UpRef(kKey);
    }
    case TestKey::kRsa4096: {
      static EVP_PKEY* const kKey = MakeRsaKey(4096).release();
      return bssl::UpRef(kKey);
    }
  }
  return nullptr;
}

const EVP_MD* DigestFor(const EVP_PKEY* key, const EVP_MD* wanted) {
  if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) return nullptr;
  return wanted == nullptr ? EVP_sha256() : wanted;
}

void AddText(X509_NAME* name, const char* field, const std::string& text) {
  if (text.empty()) return;
  Must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                  reinterpret_cast<const uint8_t*>(text.data()),
                                  static_cast<ossl_ssize_t>(text.size()), -1, 0) == 1,
       field);
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  // Certificate policies want a configuration to look sections up in, be it empty.
  const bssl::UniquePtr<CONF> empty(NCONF_new(nullptr));
  X509V3_set_nconf(&context, empty.get());
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(empty.get(), &context, nid, value.c_str()));
  Must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

// An extension under a private number, with `size` bytes of nothing.
void AddPrivateExtension(X509* certificate, const char* oid, bool critical, size_t size) {
  bssl::UniquePtr<ASN1_OBJECT> object(OBJ_txt2obj(oid, 1));
  bssl::UniquePtr<ASN1_OCTET_STRING> value(ASN1_OCTET_STRING_new());
  const std::vector<uint8_t> bytes(size, 0x5a);
  Must(ASN1_OCTET_STRING_set(value.get(), bytes.data(), static_cast<int>(bytes.size())) == 1, oid);
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), critical ? 1 : 0, value.get()));
  Must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, oid);
}

void AddExtensions(X509* certificate, X509* issuer, const CertificateOptions& options) {
  if (!options.omit_basic_constraints) {
    std::string constraints = options.is_ca ? "critical,CA:TRUE" : "CA:FALSE";
    if (options.is_ca && options.path_length >= 0) {
      constraints += ",pathlen:" + std::to_string(options.path_length);
    }
    AddExtension(certificate, issuer, NID_basic_constraints, constraints);
  }
  if (options.key_ids) {
    AddExtension(certificate, issuer, NID_subject_key_identifier, "hash");
    AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid");
  }
  AddExtension(certificate, issuer, NID_key_usage, options.key_usage);
  AddExtension(certificate, issuer, NID_ext_key_usage, options.extended_key_usage);
  AddExtension(certificate, issuer, NID_subject_alt_name, options.subject_alt_name);
  AddExtension(certificate, issuer, NID_certificate_policies, options.policies);
  AddExtension(certificate, issuer, NID_policy_constraints, options.policy_constraints);
  AddExtension(certificate, issuer, NID_name_constraints, options.name_constraints);
  AddExtension(certificate, issuer, NID_crl_distribution_points, options.distribution_points);
  AddExtension(certificate, issuer, NID_info_access, options.authority_info_access);
  if (options.unknown_critical) AddPrivateExtension(certificate, "1.3.6.1.4.1.55555.1", true, 2);
  if (options.padding_bytes > 0) {
    AddPrivateExtension(certificate, "1.3.6.1.4.1.55555.2", false, options.padding_bytes);
  }
}

// Makes a certificate for `key`; signed by itself when there is no issuer.
TestCertificate Make(const TestCertificate* issuer, bssl::UniquePtr<EVP_PKEY> key,
                     const CertificateOptions& options) {
  static uint64_t next_serial = 1000;
  bssl::UniquePtr<X509> certificate(X509_new());
  X509* const x509 = certificate.get();
  EVP_PKEY* const signer = issuer == nullptr ? key.get() : issuer->key();
  X509* const signer_x509 = issuer == nullptr ? x509 : issuer->x509();
  Must(X509_set_version(x509, options.v1 ? X509_VERSION_1 : X509_VERSION_3) == 1, "version");
  Must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509),
                               options.serial != 0 ? options.serial : next_serial++) == 1,
       "serial");
  AddText(X509_get_subject_name(x509), "O", options.organization);
  AddText(X509_get_subject_name(x509), "OU", options.organizational_unit);
  AddText(X509_get_subject_name(x509), "CN", options.common_name);
  AddText(X509_get_subject_name(x509), "emailAddress", options.email_address);
  Must(X509_set_issuer_name(x509, X509_get_subject_name(signer_x509)) == 1, "issuer");
  Must(ASN1_TIME_set_posix(X509_getm_notBefore(x509), options.not_before) != nullptr &&
           ASN1_TIME_set_posix(X509_getm_notAfter(x509), options.not_after) != nullptr,
       "validity");
  Must(X509_set_pubkey(x509, key.get()) == 1, "public key");
  if (!options.v1) AddExtensions(x509, signer_x509, options);
  Must(X509_sign(x509, signer, DigestFor(signer, options.digest)) > 0, "signature");
  return {std::move(certificate), std::move(key)};
}

std::string ToPem(const char* label, const std::vector<uint8_t>& der) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const uint8_t* text = nullptr;
  size_t size = 0;
  Must(PEM_write_bio(bio.get(), label, "", der.data(), static_cast<long>(der.size())) > 0 &&
           BIO_mem_contents(bio.get(), &text, &size) == 1,
       "PEM");
  return {reinterpret_cast<const char*>(text), size};
}

template <typename T, typename Encode>
std::vector<uint8_t> ToDer(T* object, Encode encode) {
  uint8_t* out = nullptr;
  const int size = encode(object, &out);
  Must(size > 0, "DER");
  const bssl::UniquePtr<uint8_t> owner(out);
  return {out, out + size};
}

}  // namespace

TestCertificate::TestCertificate(bssl::UniquePtr<X509> certificate, bssl::UniquePtr<EVP_PKEY> key)
    : certificate_(std::move(certificate)), key_(std::move(key)) {}

std::vector<uint8_t> TestCertificate::Der() const { return ToDer(certificate_.get(), i2d_X509); }

std::string TestCertificate::Pem() const { return ToPem(PEM_STRING_X509, Der()); }

std::string TestCertificate::KeyPem() const {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const uint8_t* text = nullptr;
  size_t size = 0;
  Must(
      PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
          BIO_mem_contents(bio.get(), &text, &size) == 1,
      "key PEM");
  return {reinterpret_cast<const char*>(text), size};
}

uint64_t TestCertificate::serial() const {
  uint64_t serial = 0;
  Must(ASN1_INTEGER_get_uint64(&serial, X509_get0_serialNumber(certificate_.get())) == 1, "serial");
  return serial;
}

TestCertificate MakeRoot(CertificateOptions options) {
  options.is_ca = true;
  return Make(nullptr, MakeKey(options.key), options);
}

TestCertificate MakeSelfSigned(const CertificateOptions& options) {
  return Make(nullptr, MakeKey(options.key), options);
}

TestCertificate MakeCa(const TestCertificate& issuer, CertificateOptions options) {
  options.is_ca = true;
  return Make(&issuer, MakeKey(options.key), options);
}

TestCertificate MakeLeaf(const TestCertificate& issuer, const CertificateOptions& options) {
  return Make(&issuer, MakeKey(options.key), options);
}

TestCertificate Reissue(const TestCertificate& issuer, const TestCertificate& subject,
                        const CertificateOptions& options) {
  return Make(&issuer, bssl::UpRef(subject.key()), options);
}

std::string MakeCrlPem(const TestCertificate& issuer, std::initializer_list<uint64_t> revoked,
                       const CrlOptions& options) {
  bssl::UniquePtr<X509_CRL> crl(X509_CRL_new());
  bssl::UniquePtr<ASN1_TIME> this_update(ASN1_TIME_set_posix(nullptr, options.this_update));
  Must(X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1 &&
           X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.x509())) == 1 &&
           X509_CRL_set1_lastUpdate(crl.get(), this_update.get()) == 1,
       "CRL");
  if (options.next_update != 0) {
    bssl::UniquePtr<ASN1_TIME> next_update(ASN1_TIME_set_posix(nullptr, options.next_update));
    Must(X509_CRL_set1_nextUpdate(crl.get(), next_update.get()) == 1, "CRL nextUpdate");
  }
  for (const uint64_t serial : revoked) {
    bssl::UniquePtr<ASN1_INTEGER> number(ASN1_INTEGER_new());
    bssl::UniquePtr<X509_REVOKED> entry(X509_REVOKED_new());
    Must(ASN1_INTEGER_set_uint64(number.get(), serial) == 1 &&
             X509_REVOKED_set_serialNumber(entry.get(), number.get()) == 1 &&
             X509_REVOKED_set_revocationDate(entry.get(), this_update.get()) == 1 &&
             X509_CRL_add0_revoked(crl.get(), entry.release()) == 1,
         "CRL entry");
  }
  Must(X509_CRL_sort(crl.get()) == 1 &&
           X509_CRL_sign(crl.get(), issuer.key(), DigestFor(issuer.key(), nullptr)) > 0,
       "CRL signature");
  return ToPem(PEM_STRING_X509_CRL, ToDer(crl.get(), i2d_X509_CRL));
}

std::string ChainPem(std::initializer_list<const TestCertificate*> certificates) {
  std::string pem;
  for (const TestCertificate* const certificate : certificates) pem += certificate->Pem();
  return pem;
}

std::shared_ptr<const TrustMaterial> MakeTrust(std::initializer_list<const TestCertificate*> cas,
                                               const std::vector<std::string>& crls_pem,
                                               int64_t now) {
  TrustSources sources;
  for (const TestCertificate* const ca : cas) sources.cas.push_back({ca->Pem(), "ca.crt"});
  for (const std::string& pem : crls_pem) sources.crls.push_back({pem, "ca.crl"});
  return ParseTrust(sources, {}, now);
}

std::shared_ptr<const TrustMaterial> ParseTrust(const TrustSources& sources,
                                                const RevocationSpec& revocation, int64_t now) {
  auto trust = TrustMaterial::Parse("test", sources, revocation, {}, now);
  Must(trust.ok(), trust.ok() ? "" : trust.status().ToString().c_str());
  return *std::move(trust);
}

CredentialSpec MakeCredential(const TestCertificate& leaf,
                              std::initializer_list<const TestCertificate*> rest) {
  return {.chain_pem = leaf.Pem() + ChainPem(rest), .key_pem = leaf.KeyPem(), .origin = "tls.crt"};
}

std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> MakeBuffers(
    std::initializer_list<const TestCertificate*> chain) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> buffers;
  for (const TestCertificate* const certificate : chain) {
    const std::vector<uint8_t> der = certificate->Der();
    buffers.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
  }
  return buffers;
}

}  // namespace portcullis::tls::testing
