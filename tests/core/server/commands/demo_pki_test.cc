#include "core/server/commands/demo_pki.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "openssl/bio.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "openssl/x509.h"
#include "openssl/x509v3.h"

namespace portcullis::server {
namespace {

bssl::UniquePtr<X509> Certificate(const std::string& pem) {
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  EXPECT_TRUE(certificate) << pem;
  return certificate;
}

bssl::UniquePtr<EVP_PKEY> Key(const std::string& pem) {
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  EXPECT_TRUE(key);
  return key;
}

// The X.509 verify result of `leaf` under the sole anchor `ca` for `purpose` at `now`.
int Verify(const std::string& leaf, const std::string& ca, int purpose, absl::Time now) {
  bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), Certificate(ca).get());
  bssl::UniquePtr<X509> certificate = Certificate(leaf);
  bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_STORE_CTX_set_time_posix(context.get(), 0, absl::ToUnixSeconds(now));
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

class DemoPkiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<DemoPki> made = MakeDemoPki(now_);
    ASSERT_TRUE(made.ok()) << made.status();
    pki_ = *std::move(made);
  }

  const absl::Time now_ = absl::Now();
  DemoPki pki_;
};

TEST_F(DemoPkiTest, ServerAndClientVerifyForTheirOwnPurposeOnly) {
  EXPECT_EQ(Verify(pki_.server.certificate, pki_.ca, X509_PURPOSE_SSL_SERVER, now_), X509_V_OK);
  EXPECT_EQ(Verify(pki_.client.certificate, pki_.ca, X509_PURPOSE_SSL_CLIENT, now_), X509_V_OK);
  EXPECT_EQ(Verify(pki_.server.certificate, pki_.ca, X509_PURPOSE_SSL_CLIENT, now_),
            X509_V_ERR_INVALID_PURPOSE);
  EXPECT_EQ(Verify(pki_.client.certificate, pki_.ca, X509_PURPOSE_SSL_SERVER, now_),
            X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(DemoPkiTest, TheStrangerIsOfAnotherAuthority) {
  EXPECT_EQ(Verify(pki_.stranger.certificate, pki_.ca, X509_PURPOSE_SSL_CLIENT, now_),
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

TEST_F(DemoPkiTest, HoldsForAWeekAndForClocksThatLag) {
  const auto verify_at = [this](absl::Time time) {
    return Verify(pki_.client.certificate, pki_.ca, X509_PURPOSE_SSL_CLIENT, time);
  };
  EXPECT_EQ(verify_at(now_ - absl::Minutes(59)), X509_V_OK);
  EXPECT_EQ(verify_at(now_ - absl::Minutes(61)), X509_V_ERR_CERT_NOT_YET_VALID);
  EXPECT_EQ(verify_at(now_ + absl::Hours(7 * 24 - 1)), X509_V_OK);
  EXPECT_EQ(verify_at(now_ + absl::Hours(7 * 24 + 1)), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(DemoPkiTest, TheServerAnswersToEveryNameOfLoopback) {
  const bssl::UniquePtr<X509> server = Certificate(pki_.server.certificate);
  for (const std::string name : {"localhost", "demo.localhost"}) {
    EXPECT_EQ(X509_check_host(server.get(), name.data(), name.size(), 0, nullptr), 1) << name;
  }
  EXPECT_EQ(X509_check_host(server.get(), "example.org", 11, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "::1", 0), 1);
}

TEST_F(DemoPkiTest, KeysBelongToTheirCertificates) {
  for (const PemPair* pair : {&pki_.server, &pki_.client, &pki_.stranger}) {
    EXPECT_EQ(X509_check_private_key(Certificate(pair->certificate).get(), Key(pair->key).get()),
              1);
  }
}

TEST_F(DemoPkiTest, NoTwoMakesShareAnything) {
  const absl::StatusOr<DemoPki> other = MakeDemoPki(now_);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other->ca, pki_.ca);
  EXPECT_NE(other->client.key, pki_.client.key);
  EXPECT_NE(Verify(other->client.certificate, pki_.ca, X509_PURPOSE_SSL_CLIENT, now_), X509_V_OK);
  EXPECT_NE(X509_NAME_cmp(X509_get_subject_name(Certificate(pki_.ca).get()),
                          X509_get_issuer_name(Certificate(pki_.stranger.certificate).get())),
            0);
}

TEST_F(DemoPkiTest, FilesAreAsNamedAndForTheOwnerAlone) {
  absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create("portcullis-test-");
  ASSERT_TRUE(folder.ok()) << folder.status();
  ASSERT_TRUE(WriteDemoPki(pki_, *folder).ok());
  const std::pair<std::string, std::string> expected[] = {
      {"server/tls.crt", pki_.server.certificate},
      {"server/tls.key", pki_.server.key},
      {"trust/ca.crt", pki_.ca},
      {"client.crt", pki_.client.certificate},
      {"client.key", pki_.client.key},
      {"stranger.crt", pki_.stranger.certificate},
      {"stranger.key", pki_.stranger.key},
  };
  for (const auto& [name, contents] : expected) {
    std::ostringstream stored;
    stored << std::ifstream(folder->PathOf(name)).rdbuf();
    EXPECT_EQ(stored.str(), contents) << name;
    struct stat found{};
    ASSERT_EQ(lstat(folder->PathOf(name).c_str(), &found), 0) << name;
    EXPECT_EQ(found.st_mode & 07777, 0600u) << name;
  }
  size_t num_files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder->path())) {
    num_files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(num_files, std::size(expected)) << "an authority's key must not be stored";
}

}  // namespace
}  // namespace portcullis::server
