// Whom a worker remembers for the next reload: each certificate once, the last seen first, within
// bounds, and with its chain where that is known.
#include "core/connection/seen_clients.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portcullis::connection {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Client `number`, with a chain of so many bytes; 0: as of a ticket, without one.
SeenClient Client(int number, size_t chain_bytes = 100) {
  auto identity = std::make_shared<tls::PeerIdentity>();
  identity->sha256.fill(static_cast<uint8_t>(number));
  if (chain_bytes != 0) identity->chain_der.emplace_back(std::vector<uint8_t>(chain_bytes));
  return {.identity = std::move(identity), .judged_by = {}, .resumed = chain_bytes == 0};
}

std::vector<int> Numbers(const SeenClients& seen) {
  std::vector<int> numbers;
  seen.ForEach(
      [&](const SeenClient& client) { numbers.push_back(client.identity->sha256.front()); });
  return numbers;
}

const SeenClient& Last(const SeenClients& seen) {
  const SeenClient* last = nullptr;
  seen.ForEach([&](const SeenClient& client) { last = last == nullptr ? &client : last; });
  return *last;
}

TEST(SeenClientsTest, EachIsThereOnceAndTheLastSeenComesFirst) {
  SeenClients seen(8, 10'000);
  EXPECT_THAT(Numbers(seen), IsEmpty());
  for (const int number : {1, 2, 3, 1}) seen.Note(Client(number));
  EXPECT_THAT(Numbers(seen), ElementsAre(1, 3, 2));
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen.bytes(), 300U);
}

TEST(SeenClientsTest, WhoWasSeenLongestAgoGoes) {
  SeenClients seen(3, 10'000);
  for (const int number : {1, 2, 3, 1, 4, 5}) seen.Note(Client(number));
  EXPECT_THAT(Numbers(seen), ElementsAre(5, 4, 1));
  EXPECT_EQ(seen.bytes(), 300U);
  seen.Note(Client(2));
  EXPECT_THAT(Numbers(seen), ElementsAre(2, 5, 4)) << "who went can come back";
}

TEST(SeenClientsTest, CertificatesTakeNoMoreThanTheirBytes) {
  SeenClients seen(8, 1000);
  for (const int number : {1, 2, 3}) seen.Note(Client(number, 300));
  seen.Note(Client(4, 500));
  EXPECT_THAT(Numbers(seen), ElementsAre(4, 3));
  EXPECT_EQ(seen.bytes(), 800U);
  seen.Note(Client(3, 600));
  EXPECT_THAT(Numbers(seen), ElementsAre(3)) << "one that has grown";
  seen.Note(Client(5, 1001));
  EXPECT_THAT(Numbers(seen), IsEmpty()) << "nothing keeps what is too large by itself";
  EXPECT_EQ(seen.bytes(), 0U);
}

TEST(SeenClientsTest, OfCapacityZeroItRemembersNobody) {
  SeenClients seen(0, 1000);
  seen.Note(Client(1));
  EXPECT_THAT(Numbers(seen), IsEmpty());
}

TEST(SeenClientsTest, AResumptionDoesNotDisplaceTheChainOfThePathItStandsOn) {
  SeenClients seen(8, 1000);
  seen.Note(Client(1, 0));
  EXPECT_TRUE(Last(seen).resumed);
  seen.Note(Client(1, 100));
  seen.Note(Client(1, 0));
  EXPECT_FALSE(Last(seen).resumed);
  EXPECT_EQ(Last(seen).identity->chain_der.size(), 1U);
  EXPECT_EQ(seen.bytes(), 100U);
}

TEST(SeenClientsTest, AResumptionOnAnotherPathOrUnderOtherRulesIsTheNews) {
  for (int difference = 0; difference < 3; ++difference) {
    SeenClients seen(8, 1000);
    seen.Note(Client(1, 100));
    SeenClient resumed = Client(1, 0);
    tls::PeerIdentity identity = *resumed.identity;
    if (difference == 0) identity.anchor_sha256.fill(7);
    if (difference == 1) identity.lent.emplace_back();
    if (difference == 2) resumed.judged_by.profile = tls::Profile::kStrict;
    resumed.identity = std::make_shared<const tls::PeerIdentity>(std::move(identity));
    seen.Note(resumed);
    EXPECT_EQ(Last(seen).identity, resumed.identity) << difference;
    EXPECT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen.bytes(), 0U);
  }
}

}  // namespace
}  // namespace portcullis::connection
