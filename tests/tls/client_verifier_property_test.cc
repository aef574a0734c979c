// Small random PKIs with what makes path building hard: cross-certificates, namesakes, expired
// twins, missing key identifiers, path lengths, usages. Against `openssl verify`:
//
// - whom it accepts, we accept;
// - whom we accept and it does not (it settles on one issuer for each certificate and never goes
//   back), it accepts when given just the path that we found. Where that has two CAs of one name it
//   would still settle on the wrong one; then each signature is checked at least.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/tls/verifier_fixture.h"
#include "tls/client_verifier.h"
#include "tls/identity.h"

namespace portcullis::tls {
namespace {

using testing::CertificateOptions;
using testing::kDay;
using testing::kNow;
using testing::MakeLeaf;
using testing::MakeSelfSigned;
using testing::Reissue;
using testing::TestCertificate;

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

Openssl Verify(const std::string& trusted, const std::string& untrusted,
               const std::vector<std::string>& leaves) {
  std::string command = "openssl verify -purpose sslclient -partial_chain -attime " +
                        std::to_string(kNow) + " -CAfile " + trusted;
  if (std::filesystem::file_size(untrusted) > 0) command += " -untrusted " + untrusted;
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
  explicit Pki(uint64_t seed) : random_(seed) {
    const int num_roots = Between(1, 3);
    for (int i = 0; i < num_roots; ++i) {
      cas_.push_back(MakeSelfSigned(CaOptions("root " + std::to_string(Between(0, 1)))));
    }
    const int num_others = Between(1, 7);
    for (int i = 0; i < num_others; ++i) {
      const TestCertificate& issuer = Any(cas_);
      if (OneIn(3)) {  // another certificate for a key that has one: a cross-certificate, a twin
        const TestCertificate& subject = Any(cas_);
        const std::string name = NameText(X509_get_subject_name(subject.x509())).substr(3);
        cas_.push_back(Reissue(issuer, subject, CaOptions(name)));
      } else {
        cas_.push_back(MakeLeaf(issuer, CaOptions("ca " + std::to_string(Between(0, 3)))));
      }
    }
    for (int i = 0; i < 5; ++i) leaves_.push_back(MakeLeaf(Any(cas_), LeafOptions(i)));
    for (size_t i = 0; i < cas_.size(); ++i) {
      const bool is_root = i < static_cast<size_t>(num_roots);
      if (i == 0 || OneIn(is_root ? 2 : 8)) trusted_.push_back(&cas_[i]);
      if (!OneIn(4)) presented_.push_back(&cas_[i]);
    }
    std::shuffle(presented_.begin(), presented_.end(), random_);
  }

  [[nodiscard]] const std::vector<TestCertificate>& leaves() const { return leaves_; }
  [[nodiscard]] const std::vector<const TestCertificate*>& trusted() const { return trusted_; }
  [[nodiscard]] const std::vector<const TestCertificate*>& presented() const { return presented_; }

 private:
  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool OneIn(int n) { return Between(1, n) == 1; }
  template <typename T>
  const T& Any(const std::vector<T>& from) {
    return from[static_cast<size_t>(Between(0, static_cast<int>(from.size()) - 1))];
  }

  CertificateOptions CaOptions(const std::string& name) {
    CertificateOptions options{.common_name = name, .is_ca = !OneIn(20)};
    if (OneIn(6)) options.not_after = kNow - kDay / 2;
    if (OneIn(20)) options.not_before = kNow + kDay / 2;
    if (options.is_ca && OneIn(6)) options.path_length = Between(0, 2);
    if (OneIn(8)) options.extended_key_usage = OneIn(2) ? "serverAuth" : "clientAuth";
    if (OneIn(8))
      options.key_usage = OneIn(3) ? "critical,digitalSignature" : "critical,keyCertSign";
    options.key_ids = !OneIn(3);
    return options;
  }

  CertificateOptions LeafOptions(int number) {
    CertificateOptions options{.common_name = "leaf " + std::to_string(number)};
    if (OneIn(12)) options.not_after = kNow - kDay / 2;
    if (OneIn(8)) options.extended_key_usage = OneIn(2) ? "serverAuth" : "clientAuth";
    if (OneIn(10)) options.key_usage = OneIn(2) ? "digitalSignature" : "keyCertSign";
    options.v1 = OneIn(10);
    options.key_ids = !OneIn(3);
    return options;
  }

  std::mt19937_64 random_;
  std::vector<TestCertificate> cas_;
  std::vector<TestCertificate> leaves_;
  std::vector<const TestCertificate*> trusted_;
  std::vector<const TestCertificate*> presented_;
};

struct Tally {
  int accepted = 0;
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
void ExpectAcceptedAlone(const Folder& folder, const PathReport& report) {
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
  const Openssl openssl = Verify(anchor, folder.Write("between.pem", between), {leaf});
  std::string path;
  for (const PathCertificate& certificate : report.path) path += certificate.subject + " < ";
  EXPECT_EQ(openssl.accepted.size(), 1U) << path << '\n' << openssl.said;
}

void CheckPki(const Pki& pki, Tally& tally) {
  const Folder folder;
  TrustSources sources;
  std::string trusted;
  std::string presented;
  for (const TestCertificate* const ca : pki.trusted()) trusted += ca->Pem();
  for (const TestCertificate* const ca : pki.presented()) presented += ca->Pem();
  sources.cas.push_back({trusted, "ca.crt"});
  const auto material = TrustMaterial::Parse("random", sources, {}, {}, kNow);
  if (!material.ok()) return;  // None that may issue.
  std::vector<std::string> files;
  for (size_t i = 0; i < pki.leaves().size(); ++i) {
    files.push_back(folder.Write("leaf" + std::to_string(i) + ".pem", pki.leaves()[i].Pem()));
  }
  const Openssl openssl =
      Verify(folder.Write("trusted.pem", trusted), folder.Write("presented.pem", presented), files);
  const std::set<std::string>& by_openssl = openssl.accepted;
  for (size_t i = 0; i < pki.leaves().size(); ++i) {
    SCOPED_TRACE("leaf " + std::to_string(i));
    auto buffers = testing::MakeBuffers({&pki.leaves()[i]});
    for (const TestCertificate* const ca : pki.presented()) {
      buffers.push_back(std::move(testing::MakeBuffers({ca}).front()));
    }
    PathReport report;
    const Verdict verdict = testing::JudgeBuffers(*material, buffers, {.report = &report});
    if (by_openssl.contains(files[i])) {
      EXPECT_TRUE(verdict.accepted()) << Name(verdict.rejection) << ' ' << verdict.x509_error;
    }
    if (!verdict.accepted()) {
      ++tally.rejected;
      continue;
    }
    ++tally.accepted;
    if (by_openssl.contains(files[i])) continue;
    ++tally.only_by_us;
    ExpectAcceptedAlone(folder, report);
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
  std::printf("accepted %d, of them %d only with backtracking; rejected %d\n", tally.accepted,
              tally.only_by_us, tally.rejected);
  if (num_pkis > 10) {
    EXPECT_GT(tally.accepted, 0);
    EXPECT_GT(tally.rejected, 0);
  }
}

}  // namespace
}  // namespace portcullis::tls
