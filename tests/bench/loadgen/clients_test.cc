#include "bench/loadgen/clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/nid.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/tls/test_pki.h"

namespace portcullis::bench {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::atomic<bool> kNeverOff{false};

std::string NameOf(const CRYPTO_BUFFER& certificate) {
  const uint8_t* data = CRYPTO_BUFFER_data(&certificate);
  const bssl::UniquePtr<X509> parsed(
      d2i_X509(nullptr, &data, static_cast<long>(CRYPTO_BUFFER_len(&certificate))));
  std::array<char, 64> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(parsed.get()), NID_commonName, name.data(),
                            name.size());
  return name.data();
}

TEST(ShareDrawer, KeepsEachShareToWithinOne) {
  const std::vector<uint32_t> ppm = {50'000, 50'000, 50'000, 123'456};
  ShareDrawer drawer(ppm);
  std::map<size_t, uint64_t> drawn;
  for (uint64_t n = 1; n <= 10'000; ++n) {
    ++drawn[drawer.Draw()];
    for (size_t i = 0; i < ppm.size(); ++i) {
      const double due = static_cast<double>(ppm[i]) * static_cast<double>(n) / 1e6;
      ASSERT_NEAR(static_cast<double>(drawn[i]), due, 1.7) << n << " draws, share " << i;
    }
  }
}

TEST(ShareDrawer, NoneAndAll) {
  ShareDrawer none({0, 0});
  ShareDrawer all({ShareDrawer::kWhole});
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(none.Draw(), 2U);
    EXPECT_EQ(all.Draw(), 0U);
  }
}

TEST(Clients, APopulationIsMadeOfDifferentClientsInTurn) {
  Options options;
  options.population = 3;
  const auto issuers = MakeIssuers(options);
  ASSERT_TRUE(issuers.ok());
  const auto clients = Clients::Create(options, *issuers, 0, kNeverOff);
  ASSERT_TRUE(clients.ok());
  std::set<const Client*> seen;
  bool resume = false;
  for (int i = 0; i < 6; ++i) {
    const Client* const client = (*clients)->Next(resume);
    ASSERT_NE(client, nullptr);
    EXPECT_FALSE(client->bad.has_value());
    EXPECT_EQ(client->credential.chain.size(), 2U) << "leaf and intermediate";
    EXPECT_FALSE(resume);
    seen.insert(client);
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Clients, ThreadsShareAPopulationOutToTheLast) {
  Options options;
  options.population = 5;
  options.threads = 4;
  const auto issuers = MakeIssuers(options);
  ASSERT_TRUE(issuers.ok());
  std::set<std::string> names;
  for (uint32_t thread = 0; thread < options.threads; ++thread) {
    const auto clients = Clients::Create(options, *issuers, thread, kNeverOff);
    ASSERT_TRUE(clients.ok());
    bool resume = false;
    for (int i = 0; i < 5; ++i)
      names.insert(NameOf(*(*clients)->Next(resume)->credential.chain.front()));
  }
  EXPECT_THAT(names, ElementsAre("client-0", "client-1", "client-2", "client-3", "client-4"));
}

TEST(Clients, NoneIsSignedForARunThatIsOff) {
  Options options;
  options.population = 3;
  options.sign_at_start = true;
  const auto issuers = MakeIssuers(options);
  ASSERT_TRUE(issuers.ok());
  EXPECT_TRUE(Clients::Create(options, *issuers, 0, kNeverOff).ok());
  const std::atomic<bool> off{true};
  EXPECT_TRUE(absl::IsCancelled(Clients::Create(options, *issuers, 0, off).status()));
}

TEST(Clients, BadOnesComeInTheirShareAndNeverResume) {
  Options options;
  options.population = 2;
  options.bad_ppm = {100'000, 100'000, 100'000, 100'000};
  options.resume_ppm = ShareDrawer::kWhole;
  const auto issuers = MakeIssuers(options);
  ASSERT_TRUE(issuers.ok());
  const auto clients = Clients::Create(options, *issuers, 0, kNeverOff);
  ASSERT_TRUE(clients.ok());
  std::map<BadKind, int> bad;
  for (int i = 0; i < 100; ++i) {
    bool resume = false;
    const Client* const client = (*clients)->Next(resume);
    ASSERT_NE(client, nullptr);
    EXPECT_NE(client->bad.has_value(), resume);
    if (!client->bad.has_value()) continue;
    ++bad[*client->bad];
    EXPECT_EQ(client->credential.chain.empty(), *client->bad == BadKind::kNoCertificate);
  }
  EXPECT_EQ(bad, (std::map<BadKind, int>{{BadKind::kNoCertificate, 10},
                                         {BadKind::kExpired, 10},
                                         {BadKind::kWrongCa, 10},
                                         {BadKind::kRevoked, 10}}));
}

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST(Clients, ACertificateAndAKeyThatDoNotGoTogetherAreNamed) {
  const tls::testing::TestCertificate one = tls::testing::MakeRoot({.common_name = "One"});
  const tls::testing::TestCertificate two = tls::testing::MakeRoot({.common_name = "Two"});
  const std::string folder = ::testing::TempDir() + "loadgen_clients_test";
  std::filesystem::create_directory(folder);
  Write(folder + "/a.crt", one.Pem());
  Write(folder + "/a.key", one.KeyPem());
  Options options;
  options.certificate = folder + "/a.crt";
  options.key = folder + "/a.key";
  const Issuers none;
  EXPECT_TRUE(Clients::Create(options, none, 0, kNeverOff).ok());
  Write(folder + "/a.key", two.KeyPem());
  const auto pair = Clients::Create(options, none, 0, kNeverOff);
  options.certificate = options.key = "";
  options.client_folder = folder;
  const auto of_folder = Clients::Create(options, none, 0, kNeverOff);
  std::filesystem::remove_all(folder);
  for (const auto* each : {&pair, &of_folder}) {
    EXPECT_THAT(std::string(each->status().message()),
                AllOf(HasSubstr(folder + "/a.crt"), HasSubstr(folder + "/a.key")));
  }
}

TEST(Clients, FilesThatAreNotThereAreNamed) {
  Options options;
  options.certificate = options.key = "no/such/file.pem";
  const Issuers none;
  EXPECT_EQ(Clients::Create(options, none, 0, kNeverOff).status().message(),
            "cannot read no/such/file.pem");
  options.certificate = options.key = "";
  options.client_folder = "no/such/folder";
  EXPECT_FALSE(Clients::Create(options, none, 0, kNeverOff).ok());
}

}  // namespace
}  // namespace portcullis::bench
