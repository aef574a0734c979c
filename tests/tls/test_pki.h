// A small certificate authority for tests and benchmarks: roots, intermediates, leaves and CRLs
// made in the process, each as odd as a test needs it. Keys of RSA are slow to make, so there is
// one for each size in the process. One thread at a time.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "tls/credentials.h"
#include "tls/trust_material.h"

namespace portcullis::tls::testing {

// The tests' present: 2027-01-15 08:00:00 UTC. Far enough ahead of the real one that a stray look
// at the machine's clock shows.
inline constexpr int64_t kNow = 1'800'000'000;
inline constexpr int64_t kHour = 3600;
inline constexpr int64_t kDay = 24 * kHour;

enum class TestKey : uint8_t {
  kEcP256,
  kEcP384,
  kEcP521,
  kEd25519,
  kRsa1024,
  kRsa2048,
  kRsa4096,
};

struct CertificateOptions {
  std::string common_name = "test";
  std::string organization = {};
  std::string email_address = {};
  std::string organizational_unit = {};
  TestKey key = TestKey::kEcP256;
  int64_t not_before = kNow - kDay;
  int64_t not_after = kNow + 365 * kDay;
  bool v1 = false;  // no extensions at all, whatever the rest says
  bool is_ca = false;
  bool omit_basic_constraints = false;
  int path_length = -1;                    // of a CA; -1: unbounded
  std::string key_usage = {};              // as in openssl.cnf, e.g. "critical,digitalSignature"
  std::string extended_key_usage = {};     // e.g. "clientAuth"
  std::string subject_alt_name = {};       // e.g. "DNS:a.example,URI:spiffe://x/y,IP:10.0.0.1"
  std::string policies = {};               // e.g. "1.2.3.4,2.5.29.32.0"
  std::string policy_constraints = {};     // e.g. "critical,requireExplicitPolicy:0"
  std::string name_constraints = {};       // e.g. "critical,permitted;DNS:.example"
  std::string authority_info_access = {};  // e.g. "OCSP;URI:http://ocsp.example"
  bool key_ids = true;                     // subject and authority key identifiers
  std::string distribution_points = {};    // e.g. "URI:http://crl.example/a.crl"
  bool unknown_critical = false;           // a critical extension that nobody knows
  size_t padding_bytes = 0;                // an extension of this size
  uint64_t serial = 0;                     // 0: the next one
  const EVP_MD* digest = nullptr;          // null: SHA-256, or what the key demands
};

// A certificate and its private key.
class TestCertificate {
 public:
  TestCertificate(bssl::UniquePtr<X509> certificate, bssl::UniquePtr<EVP_PKEY> key);

  [[nodiscard]] X509* x509() const { return certificate_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] std::vector<uint8_t> Der() const;
  [[nodiscard]] std::string Pem() const;
  [[nodiscard]] std::string KeyPem() const;
  [[nodiscard]] uint64_t serial() const;

 private:
  bssl::UniquePtr<X509> certificate_;
  bssl::UniquePtr<EVP_PKEY> key_;
};

// MakeRoot makes a self-signed certificate: a CA unless `omit_basic_constraints` or `v1` say
// otherwise.
[[nodiscard]] TestCertificate MakeRoot(CertificateOptions options);
// MakeSelfSigned makes one exactly as the options have it.
[[nodiscard]] TestCertificate MakeSelfSigned(const CertificateOptions& options);
// MakeCa and MakeLeaf make certificates signed by `issuer`.
[[nodiscard]] TestCertificate MakeCa(const TestCertificate& issuer, CertificateOptions options);
[[nodiscard]] TestCertificate MakeLeaf(const TestCertificate& issuer,
                                       const CertificateOptions& options);
// Reissue makes a certificate of `options` for the key that `subject` has, signed by `issuer`.
[[nodiscard]] TestCertificate Reissue(const TestCertificate& issuer, const TestCertificate& subject,
                                      const CertificateOptions& options);

struct CrlOptions {
  int64_t this_update = kNow - kDay;
  int64_t next_update = kNow + 30 * kDay;  // 0: none
};
[[nodiscard]] std::string MakeCrlPem(const TestCertificate& issuer,
                                     std::initializer_list<uint64_t> revoked,
                                     const CrlOptions& options = {});

// Chain returns the PEM of several certificates, one after the other.
[[nodiscard]] std::string ChainPem(std::initializer_list<const TestCertificate*> certificates);

// Trust returns trust in the given CAs with the given CRLs (PEM); fails the test when that cannot
// be.
[[nodiscard]] std::shared_ptr<const TrustMaterial> MakeTrust(
    std::initializer_list<const TestCertificate*> cas,
    const std::vector<std::string>& crls_pem = {}, int64_t now = kNow);

// ParseTrust is TrustMaterial::Parse, which must not fail.
[[nodiscard]] std::shared_ptr<const TrustMaterial> ParseTrust(const TrustSources& sources,
                                                              const RevocationSpec& revocation = {},
                                                              int64_t now = kNow);

// MakeCredential returns a server's credential: leaf, then the rest of the chain.
[[nodiscard]] CredentialSpec MakeCredential(
    const TestCertificate& leaf, std::initializer_list<const TestCertificate*> rest = {});

// MakeBuffers returns a chain as the library hands it to a verifier.
[[nodiscard]] std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> MakeBuffers(
    std::initializer_list<const TestCertificate*> chain);

}  // namespace portcullis::tls::testing
