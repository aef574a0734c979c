// Small random PKIs with what makes path building hard: cross-certificates, namesakes, expired
// twins, missing key identifiers, path lengths, usages, name constraints, keys of several kinds; a
// part of them with CRLs, which every certificate but the anchor then needs, and a part as good as
// the strict profile asks for. Against `openssl verify`:
//
// - whom it accepts, we accept;
// - whom we accept and it does not (it settles on one issuer for each certificate and never goes
//   back), it accepts when given just the path that we found. Where that has two CAs of one name it
//   would still settle on the wrong one; then each signature is checked at least;
// - whom we accept under the strict profile, it accepts with -x509_strict when given just the path.
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/tls/crl_maker.h"
#include "tests/tls/verifier_fixture.h"
#include "tls/client_verifier.h"
#include "tls/identity.h"

namespace portcullis::tls {
namespace {

using testing::CertificateOptions;
using testing::kDay;
using testing::kHour;
using testing::kNow;
using testing::MakeLeaf;
using testing::MakeSelfSigned;
using testing::Reissue;
using testing::TestCertificate;
using testing::TestKey;

// PORTCULLIS_TEST_SEED and PORTCULLIS_TEST_PKIS run another, or more.
uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

bssl::UniquePtr<X509> Parsed(const std::vector<uint8_t>& der) {
  const uint8_t* in = der.data();
  return bssl::UniquePtr<X509>(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
}

std::string PemOf(const std::vector<uint8_t>& der) {
  return TestCertificate(Parsed(der), nullptr).Pem();
}

// A folder for the files that openssl reads.
class Folder {
 public:
  Folder() {
    std::string name = ::testing::TempDir() + "/verifier_property_XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

 private:
  std::string path_;
};

struct Openssl {
  std::set<std::string> accepted;  // files
  std::string said;                // all of it
};

// Files. With CRLs, every certificate needs one.
struct OpensslInput {
  std::string trusted;
  std::string untrusted;
  std::string crls = {};  // empty: none
  bool strict = false;
};

Openssl Verify(const OpensslInput& input, const std::vector<std::string>& leaves) {
  std::string command = "openssl verify -purpose sslclient -partial_chain -attime " +
                        std::to_string(kNow) + " -CAfile " + input.trusted;
  if (input.strict) command += " -x509_strict";
  if (!input.crls.empty()) command += " -crl_check_all -CRLfile " + input.crls;
  if (std::filesystem::file_size(input.untrusted) > 0) command += " -untrusted " + input.untrusted;
  for (const std::string& leaf : leaves) command += " " + leaf;
  command += " 2>&1";
  FILE* const pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  Openssl result;
  char line[1024];
  while (fgets(line, sizeof(line), pipe) != nullptr) {
    const std::string text = line;
    result.said += text;
    if (text.ends_with(": OK\n")) result.accepted.insert(text.substr(0, text.size() - 5));
  }
  pclose(pipe);
  return result;
}

// A random PKI: certification authorities in an order in which each was issued by an earlier one.
class Pki {
 public:
  explicit Pki(uint64_t seed) : random_(seed), tidy_(OneIn(3)), has_crls_(OneIn(3)) {
    const int num_roots = Between(1, 3);
    for (int i = 0; i < num_roots; ++i) {
      cas_.push_back(MakeSelfSigned(CaOptions(NewName("root", 1))));
    }
    const int num_others = Between(1, 7);
    for (int i = 0; i < num_others; ++i) {
      const TestCertificate& issuer = Any(cas_);
      cas_.push_back(OneIn(3) ? AnotherOf(Any(cas_), issuer)
                              : MakeLeaf(issuer, CaOptions(NewName("ca", 3))));
    }
    for (int i = 0; i < 5; ++i) leaves_.push_back(MakeLeaf(Any(cas_), LeafOptions(i)));
    for (size_t i = 0; i < cas_.size(); ++i) {
      const bool is_root = i < static_cast<size_t>(num_roots);
      // Of an anchor that another issued openssl would want to know whether it is revoked.
      const bool may_be_anchor = is_root || !has_crls_;
      if (i == 0 || (may_be_anchor && OneIn(is_root ? 2 : 8))) trusted_.push_back(&cas_[i]);
      if (!OneIn(4)) presented_.push_back(&cas_[i]);
    }
    std::shuffle(presented_.begin(), presented_.end(), random_);
    if (has_crls_) MakeCrls(static_cast<size_t>(num_roots));
  }

  [[nodiscard]] const std::vector<TestCertificate>& leaves() const { return leaves_; }
  [[nodiscard]] const std::vector<const TestCertificate*>& trusted() const { return trusted_; }
  [[nodiscard]] const std::vector<const TestCertificate*>& presented() const { return presented_; }
  [[nodiscard]] bool has_crls() const { return has_crls_; }
  [[nodiscard]] const std::string& crls() const { return crls_; }  // PEM

 private:
  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool OneIn(int n) { return Between(1, n) == 1; }
  // Habits that the strict profile does not like are rarer in some PKIs.
  bool OneOddIn(int n) { return OneIn(tidy_ ? 8 * n : n); }
  template <typename T>
  const T& Any(const std::vector<T>& from) {
    return from[static_cast<size_t>(Between(0, static_cast<int>(from.size()) - 1))];
  }

  // Another certificate for a key that has one: a cross-certificate, a twin.
  TestCertificate AnotherOf(const TestCertificate& subject, const TestCertificate& issuer) {
    const std::string name = NameText(X509_get_subject_name(subject.x509())).substr(3);
    return Reissue(issuer, subject, CaOptions(name));
  }

  // One of a few names; with CRLs, which go by names, one that nobody has yet.
  std::string NewName(const std::string& kind, int last) {
    return kind + ' ' + std::to_string(has_crls_ ? ++num_names_ : Between(0, last));
  }

  TestKey AnyKey() {
    static const std::vector<TestKey> kKinds = {TestKey::kEcP256,  TestKey::kEcP256,
                                                TestKey::kEcP384,  TestKey::kEcP521,
                                                TestKey::kEd25519, TestKey::kRsa2048};
    return Any(kKinds);
  }

  CertificateOptions CaOptions(const std::string& name) {
    static const std::vector<std::string> kConstraints = {
        "permitted;DNS:a.example",
        "permitted;DNS:example,permitted;email:a.example",
        "excluded;DNS:a.example",
        "permitted;IP:10.0.0.0/255.0.0.0,excluded;DNS:b.example",
        "excluded;email:a.example,excluded;IP:10.1.0.0/255.255.0.0",
        "permitted;URI:td.example",
    };
    CertificateOptions options{.common_name = name, .key = AnyKey(), .is_ca = !OneIn(20)};
    if (OneIn(6)) options.not_after = kNow - kDay / 2;
    if (OneIn(20)) options.not_before = kNow + kDay / 2;
    if (options.is_ca && OneIn(6)) options.path_length = Between(0, 2);
    if (OneOddIn(8)) options.extended_key_usage = OneIn(2) ? "serverAuth" : "clientAuth";
    if (!OneOddIn(2)) options.key_usage = "critical,keyCertSign,cRLSign";
    if (OneIn(8))
      options.key_usage = OneIn(3) ? "critical,digitalSignature" : "critical,keyCertSign";
    // Who may sign CRLs by one of its certificates may do so for all of them: openssl, given but
    // one path, sees one.
    if (has_crls_ && options.key_usage != "critical,digitalSignature") {
      options.key_usage =
          name.ends_with('4') ? "critical,keyCertSign" : "critical,keyCertSign,cRLSign";
    }
    if (OneIn(5)) options.name_constraints = "critical," + Any(kConstraints);
    options.key_ids = !OneOddIn(3);
    return options;
  }

  CertificateOptions LeafOptions(int number) {
    static const std::vector<std::string> kNames = {
        "DNS:x.a.example", "DNS:b.example", "DNS:a.example,IP:10.1.2.3", "email:u@a.example",
        "IP:10.2.0.1",     "IP:192.0.2.1",  "URI:spiffe://td.example/a", "email:u@b.example"};
    CertificateOptions options{.common_name = "leaf " + std::to_string(number), .key = AnyKey()};
    if (OneIn(12)) options.not_after = kNow - kDay / 2;
    options.extended_key_usage = OneOddIn(2) ? "" : "clientAuth";
    if (OneIn(16)) options.extended_key_usage = "serverAuth";
    options.key_usage = OneOddIn(2) ? "" : "critical,digitalSignature";
    if (OneIn(10)) options.key_usage = OneIn(2) ? "digitalSignature" : "keyCertSign";
    if (!OneIn(3)) options.subject_alt_name = Any(kNames);
    options.v1 = OneOddIn(10);
    options.key_ids = !OneOddIn(3);
    return options;
  }

  // A CRL of nearly every CA; some are stale. No root is revoked: we never ask about an anchor.
  void MakeCrls(size_t num_roots) {
    std::set<std::string> have;
    for (const TestCertificate& ca : cas_) {
      const std::string name = NameText(X509_get_subject_name(ca.x509()));
      if (!have.insert(name).second || OneIn(16)) continue;
      testing::CrlSpec spec;
      if (OneIn(16)) spec.next_update = kNow - kHour;
      const auto maybe_revoke = [&](const TestCertificate& certificate) {
        const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate.x509());
        const uint8_t* const data = ASN1_STRING_get0_data(serial);
        testing::Octets octets(data, data + ASN1_STRING_length(serial));
        if ((octets.front() & 0x80) != 0) octets.insert(octets.begin(), 0);
        if (OneIn(10)) spec.entries.push_back({.serial = octets});
      };
      for (size_t i = num_roots; i < cas_.size(); ++i) maybe_revoke(cas_[i]);
      for (const TestCertificate& leaf : leaves_) maybe_revoke(leaf);
      crls_ += testing::AsPem(testing::MakeCrl(ca, spec));
    }
  }

  std::mt19937_64 random_;
  const bool tidy_;
  const bool has_crls_;
  int num_names_ = 0;
  std::vector<TestCertificate> cas_;
  std::vector<TestCertificate> leaves_;
  std::vector<const TestCertificate*> trusted_;
  std::vector<const TestCertificate*> presented_;
  std::string crls_;
};

struct Tally {
  int accepted = 0;
  int accepted_with_crls = 0;
  int accepted_strictly = 0;
  int only_by_us = 0;
  int rejected = 0;
};

void ExpectSigned(const PathReport& report) {
  for (size_t i = 0; i + 1 < report.path.size(); ++i) {
    const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(Parsed(report.path[i + 1].der).get()));
    EXPECT_EQ(X509_verify(Parsed(report.path[i].der).get(), key.get()), 1) << i;
  }
}

// The path found, to openssl alone.
void ExpectAcceptedAlone(const Folder& folder, const PathReport& report, const std::string& crls,
                         bool strict = false) {
  std::set<std::string> names;
  for (size_t i = 1; i < report.path.size(); ++i) names.insert(report.path[i].subject);
  if (names.size() + 1 < report.path.size()) {
    ExpectSigned(report);
    return;
  }
  std::string between;
  for (size_t i = 1; i + 1 < report.path.size(); ++i) between += PemOf(report.path[i].der);
  const std::string leaf = folder.Write("alone.pem", PemOf(report.path.front().der));
  const std::string anchor = folder.Write("anchor.pem", PemOf(report.path.back().der));
  const Openssl openssl = Verify({.trusted = anchor,
                                  .untrusted = folder.Write("between.pem", between),
                                  .crls = crls,
                                  .strict = strict},
                                 {leaf});
  std::string path;
  for (const PathCertificate& certificate : report.path) path += certificate.subject + " < ";
  EXPECT_EQ(openssl.accepted.size(), 1U) << path << '\n' << openssl.said;
}

void CheckLeaf(const Folder& folder, const std::shared_ptr<const TrustMaterial>& trust,
               const std::vector<bssl::UniquePtr<CRYPTO_BUFFER>>& chain, bool by_openssl,
               const std::string& crls, Tally& tally) {
  PathReport report;
  const Verdict verdict = testing::JudgeBuffers(trust, chain, {.report = &report});
  if (by_openssl) {
    EXPECT_TRUE(verdict.accepted()) << Name(verdict.rejection) << ' ' << verdict.x509_error;
  }
  PathReport strict_report;
  const Verdict strict =
      testing::JudgeBuffers(trust, chain, {.profile = Profile::kStrict, .report = &strict_report});
  if (strict.accepted()) {
    ++tally.accepted_strictly;
    EXPECT_TRUE(verdict.accepted()) << "under the strict profile alone";
    ExpectAcceptedAlone(folder, strict_report, crls, true);
  }
  if (!verdict.accepted()) {
    ++tally.rejected;
    return;
  }
  ++tally.accepted;
  if (!crls.empty()) ++tally.accepted_with_crls;
  if (by_openssl) return;
  ++tally.only_by_us;
  ExpectAcceptedAlone(folder, report, crls);
}

void CheckPki(const Pki& pki, Tally& tally) {
  const Folder folder;
  TrustSources sources;
  std::string trusted;
  std::string presented;
  for (const TestCertificate* const ca : pki.trusted()) trusted += ca->Pem();
  for (const TestCertificate* const ca : pki.presented()) presented += ca->Pem();
  sources.cas.push_back({trusted, "ca.crt"});
  RevocationSpec revocation;
  if (pki.has_crls()) {
    revocation.mode = RevocationMode::kRequire;
    if (!pki.crls().empty()) sources.crls.push_back({pki.crls(), "ca.crl"});
    // Only of those whom we know we take a CRL's word.
    if (!presented.empty()) sources.intermediates.push_back({presented, "between.crt"});
  }
  const auto material = TrustMaterial::Parse("random", sources, revocation, {}, kNow);
  if (!material.ok()) return;  // None that may issue.
  std::vector<std::string> files;
  for (size_t i = 0; i < pki.leaves().size(); ++i) {
    files.push_back(folder.Write("leaf" + std::to_string(i) + ".pem", pki.leaves()[i].Pem()));
  }
  const std::string crls = pki.has_crls() ? folder.Write("crls.pem", pki.crls()) : "";
  const Openssl openssl = Verify({.trusted = folder.Write("trusted.pem", trusted),
                                  .untrusted = folder.Write("presented.pem", presented),
                                  .crls = crls},
                                 files);
  for (size_t i = 0; i < pki.leaves().size(); ++i) {
    SCOPED_TRACE("leaf " + std::to_string(i));
    auto buffers = testing::MakeBuffers({&pki.leaves()[i]});
    for (const TestCertificate* const ca : pki.presented()) {
      buffers.push_back(std::move(testing::MakeBuffers({ca}).front()));
    }
    CheckLeaf(folder, *material, buffers, openssl.accepted.contains(files[i]), crls, tally);
  }
}

TEST(VerifierProperty, AcceptsWhomOpensslAcceptsAndNobodyWithoutAPath) {
  const uint64_t seed = FromEnvironment("PORTCULLIS_TEST_SEED", std::random_device()());
  const uint64_t num_pkis = FromEnvironment("PORTCULLIS_TEST_PKIS", 60);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Tally tally;
  for (uint64_t i = 0; i < num_pkis; ++i) {
    SCOPED_TRACE("PORTCULLIS_TEST_SEED=" + std::to_string(seed + i) + " PORTCULLIS_TEST_PKIS=1");
    CheckPki(Pki(seed + i), tally);
    if (::testing::Test::HasFailure()) break;
  }
  std::printf("accepted %d (only with backtracking %d, with CRLs %d, strictly %d); rejected %d\n",
              tally.accepted, tally.only_by_us, tally.accepted_with_crls, tally.accepted_strictly,
              tally.rejected);
  if (num_pkis > 10) {
    EXPECT_GT(tally.accepted, 0);
    EXPECT_GT(tally.accepted_with_crls + tally.accepted_strictly, 0);
    EXPECT_GT(tally.rejected, 0);
  }
}

}  // namespace
}  // namespace portcullis::tls
