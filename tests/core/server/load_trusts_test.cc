// What a reload takes over of the trusts in force, and what it says of them all the same.
#include "core/server/load_trusts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "core/server/snapshot.h"
#include "tests/core/server/config_folder.h"

namespace portcullis::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tls::testing::kDay;
using tls::testing::kNow;
using tls::testing::MakeCrlPem;
using tls::testing::MakeRoot;

// A trust with a CA that runs out, one that comes into force, and a CRL.
class LoadTrustsTest : public ::testing::Test {
 protected:
  static constexpr int64_t kExpiry = kNow + kDay;
  static constexpr int64_t kNextUpdate = kNow + 2 * kDay;
  static constexpr int64_t kStart = kNow + 3 * kDay;

  LoadTrustsTest() {
    folder_.Write("ca.crt", folder_.root().Pem() +
                                MakeRoot({.common_name = "old", .not_after = kExpiry}).Pem() +
                                MakeRoot({.common_name = "new", .not_before = kStart}).Pem());
    folder_.Write("ca.crl", MakeCrlPem(folder_.root(), {1}, {.next_update = kNextUpdate}));
    folder_.Edit("ca: [ca.crt]", "ca: [ca.crt], crl: [ca.crl]");
  }

  std::shared_ptr<const Snapshot> LoadAt(int64_t now, const Snapshot* in_force) {
    auto snapshot = LoadSnapshot(folder_.path("portcullis.yaml"), now, in_force);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return snapshot.ok() ? *std::move(snapshot) : nullptr;
  }
  // Whether a load at `now` has the trust of one at kNow. What it says is what one says that has
  // nothing to share with.
  bool IsShared(int64_t now) {
    const auto first = LoadAt(kNow, nullptr);
    const auto next = LoadAt(now, first.get());
    const auto alone = LoadAt(now, nullptr);
    EXPECT_EQ(next->warnings, alone->warnings);
    EXPECT_EQ(next->certificates.size(), alone->certificates.size());
    EXPECT_EQ(next->crls.size(), alone->crls.size());
    return next->trusts.at("clients") == first->trusts.at("clients");
  }
  bool IsSharedAfter(const std::function<void()>& change) {
    const auto first = LoadAt(kNow, nullptr);
    change();
    return LoadAt(kNow, first.get())->trusts.at("clients") == first->trusts.at("clients");
  }

  ConfigFolder folder_;
};

TEST_F(LoadTrustsTest, WhatDoesNotParseIsWarnedOfAndExpiresNever) {
  const auto without = LoadAt(kNow, nullptr);
  folder_.Write("ca.crt", "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n" +
                              folder_.root().Pem() +
                              MakeRoot({.common_name = "old", .not_after = kExpiry}).Pem() +
                              MakeRoot({.common_name = "new", .not_before = kStart}).Pem());
  const auto with = LoadAt(kNow, nullptr);
  ASSERT_NE(with, nullptr);
  EXPECT_THAT(with->warnings, Contains(HasSubstr("does not parse")));
  EXPECT_EQ(with->certificates.size(), without->certificates.size());
}

TEST_F(LoadTrustsTest, WhatHasNotChangedIsShared) {
  EXPECT_TRUE(IsShared(kNow));
  EXPECT_TRUE(IsSharedAfter([&] { folder_.Edit("limits: {}", "limits: {max_headers: 7}"); }));
}

TEST_F(LoadTrustsTest, UntilSomethingRunsOutOrComesIntoForce) {
  EXPECT_THAT(LoadAt(kNow, nullptr)->warnings, ElementsAre(HasSubstr("not yet valid")));
  EXPECT_TRUE(IsShared(kExpiry));
  EXPECT_FALSE(IsShared(kExpiry + 1));
  EXPECT_FALSE(IsShared(kNextUpdate + 1));
  EXPECT_FALSE(IsShared(kStart));
}

TEST_F(LoadTrustsTest, NorWhenTheClockIsPutBack) {
  const auto later = LoadAt(kStart, nullptr);
  EXPECT_EQ(LoadAt(kStart + kDay, later.get())->trusts.at("clients"), later->trusts.at("clients"));
  EXPECT_NE(LoadAt(kStart - 1, later.get())->trusts.at("clients"), later->trusts.at("clients"));
}

TEST_F(LoadTrustsTest, ChangedSourcesAndOptionsAreNot) {
  EXPECT_FALSE(IsSharedAfter([&] {
    folder_.Write("ca.crl", MakeCrlPem(folder_.root(), {1, 2}, {.next_update = kNextUpdate}));
  }));
  EXPECT_FALSE(IsSharedAfter([&] { folder_.Write("ca.crt", folder_.root().Pem()); }));
  EXPECT_FALSE(IsSharedAfter(
      [&] { folder_.Edit("crl: [ca.crl]", "crl: [ca.crl], revocation: {grace: 1h}"); }));
  EXPECT_FALSE(IsSharedAfter([&] {
    folder_.Edit("revocation: {grace: 1h}", "revocation: {grace: 1h}, ocsp: {mode: soft}");
  }));
  EXPECT_FALSE(IsSharedAfter([&] { folder_.Edit("ocsp: {mode: soft}", "ocsp: {mode: require}"); }));
}

}  // namespace
}  // namespace portcullis::server
