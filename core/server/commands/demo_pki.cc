#include "core/server/commands/demo_pki.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "openssl/bio.h"
#include "openssl/bn.h"
#include "openssl/ec.h"
#include "openssl/ec_key.h"
#include "openssl/err.h"
#include "openssl/evp.h"
#include "openssl/nid.h"
#include "openssl/pem.h"
#include "openssl/rand.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

constexpr absl::Duration kBackdate = absl::Hours(1);
constexpr absl::Duration kLifetime = absl::Hours(7 * 24);

// What differs between the certificates.
struct Request {
  const char* common_name;
  const char* basic_constraints;
  const char* key_usage;
  const char* extended_key_usage = nullptr;
  const char* alternative_names = nullptr;
};

constexpr Request kServer{
    .common_name = "localhost",
    .basic_constraints = "critical,CA:FALSE",
    .key_usage = "critical,digitalSignature",
    .extended_key_usage = "serverAuth",
    .alternative_names = "DNS:localhost,DNS:demo.localhost,IP:127.0.0.1,IP:::1",
};

constexpr Request Authority(const char* name) {
  return {.common_name = name,
          .basic_constraints = "critical,CA:TRUE",
          .key_usage = "critical,keyCertSign,cRLSign"};
}

constexpr Request Client(const char* name) {
  return {.common_name = name,
          .basic_constraints = "critical,CA:FALSE",
          .key_usage = "critical,digitalSignature",
          .extended_key_usage = "clientAuth"};
}

struct Issued {
  bssl::UniquePtr<X509> certificate;
  bssl::UniquePtr<EVP_PKEY> key;
};

absl::Status LibraryError(std::string_view doing) {
  const uint32_t code = ERR_get_error();
  const char* reason = code == 0 ? "unknown" : ERR_reason_error_string(code);
  ERR_clear_error();
  return absl::InternalError(
      Cat("making demo certificates: ", doing, ": ", reason == nullptr ? "?" : reason));
}

bssl::UniquePtr<EVP_PKEY> NewKey() {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (!ec || !key || !EC_KEY_generate_key(ec.get()) || !EVP_PKEY_set1_EC_KEY(key.get(), ec.get())) {
    return nullptr;
  }
  return key;
}

// 127 random bits, never zero: positive, and unique enough (RFC 5280 section 4.1.2.2).
bool SetSerial(X509* certificate) {
  uint8_t bytes[16];
  RAND_bytes(bytes, sizeof(bytes));
  bytes[0] = static_cast<uint8_t>((bytes[0] & 0x7f) | 0x40);
  bssl::UniquePtr<BIGNUM> number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetName(X509_NAME* name, const char* common_name) {
  const auto add = [name](const char* field, const char* value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                      reinterpret_cast<const uint8_t*>(value), -1, -1, 0) == 1;
  };
  return add("O", "Portcullis demo") && add("CN", common_name);
}

bool SetTimes(X509* certificate, absl::Time now) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(now - kBackdate)) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(now + kLifetime)) != nullptr;
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  if (value == nullptr) return true;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  bssl::UniquePtr<X509_EXTENSION> extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1);
}

// Issues a certificate for a fresh key; by itself when `issuer` is null.
absl::StatusOr<Issued> Issue(const Request& request, const Issued* issuer, absl::Time now) {
  Issued issued{bssl::UniquePtr<X509>(X509_new()), NewKey()};
  X509* certificate = issued.certificate.get();
  if (certificate == nullptr || !issued.key) return LibraryError("new key");
  X509* by = issuer == nullptr ? certificate : issuer->certificate.get();
  EVP_PKEY* signing = issuer == nullptr ? issued.key.get() : issuer->key.get();
  if (!X509_set_version(certificate, X509_VERSION_3) || !SetSerial(certificate) ||
      !SetTimes(certificate, now) ||
      !SetName(X509_get_subject_name(certificate), request.common_name) ||
      !X509_set_issuer_name(certificate, X509_get_subject_name(by)) ||
      !X509_set_pubkey(certificate, issued.key.get())) {
    return LibraryError(request.common_name);
  }
  if (!AddExtension(certificate, by, NID_basic_constraints, request.basic_constraints) ||
      !AddExtension(certificate, by, NID_key_usage, request.key_usage) ||
      !AddExtension(certificate, by, NID_ext_key_usage, request.extended_key_usage) ||
      !AddExtension(certificate, by, NID_subject_alt_name, request.alternative_names) ||
      !AddExtension(certificate, by, NID_subject_key_identifier, "hash") ||
      !AddExtension(certificate, by, NID_authority_key_identifier, "keyid")) {
    return LibraryError(Cat(request.common_name, ", extensions"));
  }
  if (X509_sign(certificate, signing, EVP_sha256()) == 0) return LibraryError("signing");
  return issued;
}

std::string Contents(BIO* bio) {
  const uint8_t* data = nullptr;
  size_t length = 0;
  if (!BIO_mem_contents(bio, &data, &length)) return {};
  return std::string(reinterpret_cast<const char*>(data), length);
}

absl::StatusOr<std::string> CertificatePem(const Issued& issued) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || !PEM_write_bio_X509(bio.get(), issued.certificate.get())) return LibraryError("PEM");
  return Contents(bio.get());
}

absl::StatusOr<PemPair> Pem(const Issued& issued) {
  absl::StatusOr<std::string> certificate = CertificatePem(issued);
  if (!certificate.ok()) return certificate.status();
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio.get(), issued.key.get(), nullptr, nullptr, 0,
                                             nullptr, nullptr)) {
    return LibraryError("PEM");
  }
  return PemPair{*std::move(certificate), Contents(bio.get())};
}

absl::StatusOr<PemPair> IssuePem(const Request& request, const Issued& issuer, absl::Time now) {
  absl::StatusOr<Issued> issued = Issue(request, &issuer, now);
  if (!issued.ok()) return issued.status();
  return Pem(*issued);
}

}  // namespace

absl::StatusOr<DemoPki> MakeDemoPki(absl::Time now) {
  absl::StatusOr<Issued> authority = Issue(Authority("Portcullis demo CA"), nullptr, now);
  if (!authority.ok()) return authority.status();
  absl::StatusOr<Issued> other = Issue(Authority("Some other CA"), nullptr, now);
  if (!other.ok()) return other.status();

  absl::StatusOr<std::string> ca = CertificatePem(*authority);
  absl::StatusOr<PemPair> server = IssuePem(kServer, *authority, now);
  absl::StatusOr<PemPair> client = IssuePem(Client("Demo Client"), *authority, now);
  absl::StatusOr<PemPair> stranger = IssuePem(Client("Demo Stranger"), *other, now);
  for (const absl::Status& status :
       {ca.status(), server.status(), client.status(), stranger.status()}) {
    if (!status.ok()) return status;
  }
  return DemoPki{*std::move(ca), *std::move(server), *std::move(client), *std::move(stranger)};
}

absl::Status WriteDemoPki(const DemoPki& pki, const ScratchFolder& folder) {
  const std::pair<std::string, std::string_view> files[] = {
      {Cat(kDemoServerFolder, "/tls.crt"), pki.server.certificate},
      {Cat(kDemoServerFolder, "/tls.key"), pki.server.key},
      {kDemoCa, pki.ca},
      {kDemoClientCertificate, pki.client.certificate},
      {kDemoClientKey, pki.client.key},
      {kDemoStrangerCertificate, pki.stranger.certificate},
      {kDemoStrangerKey, pki.stranger.key},
  };
  for (const auto& [name, contents] : files) {
    if (absl::Status status = folder.Write(name, contents); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace portcullis::server
