#include "tls/revocation_index.h"

#include <openssl/err.h>
#include <openssl/mem.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/crl_maker.h"
#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using testing::AsPem;
using testing::CrlSignature;
using testing::CrlSpec;
using testing::Entries;
using testing::EntrySpec;
using testing::ExtensionOf;
using ::testing::HasSubstr;
using testing::kDay;
using testing::kHour;
using testing::kNow;
using testing::MakeCa;
using testing::MakeCrl;
using testing::MakeRoot;
using testing::Octets;
using testing::Reissue;
using testing::TestCertificate;
using testing::TestKey;
using testing::Tlv;
using testing::UriName;
using Index = std::shared_ptr<const RevocationIndex>;

constexpr RevocationSpec kSoft = {.mode = RevocationMode::kSoft};
constexpr RevocationSpec kRequire = {.mode = RevocationMode::kRequire};

class RevocationIndexTest : public ::testing::Test {
 protected:
  ~RevocationIndexTest() override { EXPECT_EQ(ERR_peek_error(), 0U) << "an error was left behind"; }

  static absl::StatusOr<Index> TryBuild(const std::vector<std::string>& crls,
                                        std::initializer_list<const TestCertificate*> issuers,
                                        int64_t now = kNow) {
    std::vector<CrlSource> sources;
    for (const std::string& crl : crls) sources.push_back({.bytes = crl, .origin = "ca.crl"});
    std::vector<std::vector<uint8_t>> ders;
    for (const TestCertificate* const issuer : issuers) ders.push_back(issuer->Der());
    std::vector<CrlIssuer> certificates;
    for (const auto& der : ders) certificates.push_back({der});
    return RevocationIndex::Build(sources, certificates, now);
  }

  Index Build(const std::vector<std::string>& crls,
              std::initializer_list<const TestCertificate*> issuers, int64_t now = kNow) {
    auto index = TryBuild(crls, issuers, now);
    EXPECT_TRUE(index.ok()) << index.status();
    return index.ok() ? *std::move(index) : *RevocationIndex::Build({}, {}, now);
  }
  Index Build(const std::vector<std::string>& crls) { return Build(crls, {&root_}); }

  // Why CRLs are refused; empty when they are not.
  static std::string Refusal(const std::vector<std::string>& crls,
                             std::initializer_list<const TestCertificate*> issuers) {
    const auto index = TryBuild(crls, issuers);
    return index.ok() ? "" : std::string(index.status().message());
  }

  static PathLink Link(const TestCertificate& issuer, Octets serial) {
    PathLink link;
    link.issuer = MakeIssuerId(issuer.Der());
    link.serial = std::move(serial);
    return link;
  }
  [[nodiscard]] PathLink Link(uint8_t serial) const { return Link(root_, {serial}); }

  static std::string Ask(const Index& index, const PathLink& link, const RevocationSpec& spec,
                         int64_t now = kNow) {
    return std::string(Name(index->Ask(link, spec, now).rejection));
  }
  // What kSoft and kRequire say, in this order.
  static std::string Both(const Index& index, const PathLink& link, int64_t now = kNow) {
    return Ask(index, link, kSoft, now) + " " + Ask(index, link, kRequire, now);
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
};

TEST_F(RevocationIndexTest, AnEmptyOneKnowsNothing) {
  const Index index = Build({});
  EXPECT_TRUE(index->empty());
  EXPECT_EQ(Both(index, Link(1)), "none crl_missing");
  EXPECT_EQ(index->Ask(Link(1), kSoft, kNow).holds_until, INT64_MAX);
}

TEST_F(RevocationIndexTest, WhomACrlListsIsRevokedAndNobodyElse) {
  const EntrySpec entry = {.serial = {7}, .revoked_at = kNow - kHour, .reason = 1};
  for (const bool pem : {false, true}) {
    const std::string der = MakeCrl(root_, {.entries = {entry}});
    const Index index = Build({pem ? AsPem(der) : der});
    EXPECT_FALSE(index->empty());
    EXPECT_EQ(Both(index, Link(7)), "revoked revoked");
    EXPECT_EQ(Both(index, Link(8)), "none none");
    const auto answer = index->Ask(Link(7), kSoft, kNow);
    EXPECT_EQ(answer.revoked_at, kNow - kHour);
    EXPECT_EQ(answer.reason, 1);
    EXPECT_EQ(index->Ask(Link(8), kSoft, kNow).holds_until, kNow + 30 * kDay);
  }
}

TEST_F(RevocationIndexTest, OffIsOff) {
  const Index index = Build({MakeCrl(root_, {.entries = Entries({7})})});
  EXPECT_EQ(Ask(index, Link(7), {.mode = RevocationMode::kOff}), "none");
}

TEST_F(RevocationIndexTest, AnotherIssuersSerialsAreNotMeant) {
  const TestCertificate other = MakeRoot({.common_name = "other"});
  const TestCertificate namesake = MakeRoot({.common_name = "root"});
  const Index index = Build({MakeCrl(root_, {.entries = Entries({7}), .key_id = true})},
                            {&root_, &other, &namesake});
  EXPECT_EQ(Both(index, Link(other, {7})), "none crl_missing");
  EXPECT_EQ(Both(index, Link(namesake, {7})), "none crl_missing");
}

TEST_F(RevocationIndexTest, SerialsAreComparedAsNumbersWhateverTheirLength) {
  const Octets longest(20, 0x7f);
  const Index index =
      Build({MakeCrl(root_, {.entries = {{.serial = {0x00, 0x80}}, {.serial = longest}}})});
  EXPECT_EQ(Both(index, Link(root_, {0x00, 0x80})), "revoked revoked");
  EXPECT_EQ(Both(index, Link(root_, {0x80})), "revoked revoked") << "without the sign octet";
  EXPECT_EQ(Both(index, Link(root_, longest)), "revoked revoked");
  EXPECT_EQ(Both(index, Link(root_, Octets(19, 0x7f))), "none none");
}

TEST_F(RevocationIndexTest, AHeldCertificateIsRevoked) {
  const Index index = Build({MakeCrl(root_, {.entries = {{.serial = {7}, .reason = 6}}})});
  EXPECT_EQ(Both(index, Link(7)), "revoked revoked");
}

TEST_F(RevocationIndexTest, StalenessCountsBeyondTheGraceAndNeverHidesARevocation) {
  const Index index = Build({MakeCrl(root_, {.next_update = kNow, .entries = Entries({7})})});
  EXPECT_EQ(Both(index, Link(8), kNow), "none none");
  EXPECT_EQ(Both(index, Link(8), kNow + 1), "crl_stale crl_stale");
  EXPECT_EQ(Both(index, Link(7), kNow + 1), "revoked revoked");
  const RevocationSpec graceful = {.mode = RevocationMode::kRequire, .grace_s = 60};
  EXPECT_EQ(Ask(index, Link(8), graceful, kNow + 60), "none");
  EXPECT_EQ(Ask(index, Link(8), graceful, kNow + 61), "crl_stale");
  EXPECT_EQ(index->Ask(Link(8), graceful, kNow).holds_until, kNow + 60);
}

TEST_F(RevocationIndexTest, ACrlWithoutNextUpdateDoesNotAge) {
  const Index index = Build({MakeCrl(root_, {.next_update = 0})});
  EXPECT_EQ(Both(index, Link(8), kNow + 1000 * kDay), "none none");
  EXPECT_EQ(index->summaries().at(0).oddity, "says no nextUpdate");
}

TEST_F(RevocationIndexTest, EverySignatureAlgorithmInUseVerifies) {
  for (const TestKey key : {TestKey::kEcP256, TestKey::kEcP384, TestKey::kEcP521, TestKey::kEd25519,
                            TestKey::kRsa2048, TestKey::kRsa4096}) {
    const TestCertificate ca = MakeRoot({.common_name = "ca", .key = key});
    for (const auto signature : {CrlSignature::kUsual, CrlSignature::kSha384}) {
      const CrlSpec spec = {.entries = Entries({7}), .signature = signature};
      EXPECT_EQ(Both(Build({MakeCrl(ca, spec)}, {&ca}), Link(ca, {7})), "revoked revoked");
    }
  }
  const TestCertificate ca = MakeRoot({.common_name = "ca", .key = TestKey::kRsa2048});
  for (const auto signature : {CrlSignature::kPss256, CrlSignature::kPss512}) {
    const CrlSpec spec = {.entries = Entries({7}), .signature = signature};
    EXPECT_EQ(Both(Build({MakeCrl(ca, spec)}, {&ca}), Link(ca, {7})), "revoked revoked");
  }
}

TEST_F(RevocationIndexTest, ACrlThatDoesNotVerifyIsAnErrorThatNamesIt) {
  const std::string damaged = MakeCrl(root_, {.signature = CrlSignature::kDamaged});
  EXPECT_EQ(Refusal({damaged}, {&root_}),
            "ca.crl: CRL 1 of CN=root: its signature does not verify");
  const TestCertificate namesake = MakeRoot({.common_name = "root", .key_ids = false});
  EXPECT_THAT(Refusal({MakeCrl(namesake, {})}, {&root_}), HasSubstr("does not verify"));
  const TestCertificate rsa = MakeRoot({.common_name = "rsa", .key = TestKey::kRsa2048});
  EXPECT_THAT(Refusal({MakeCrl(rsa, {.signature = CrlSignature::kSha1})}, {&rsa}),
              HasSubstr("SHA-1 or MD5"));
  EXPECT_THAT(Refusal({MakeCrl(root_, {.signature = CrlSignature::kSha1})}, {&root_}),
              HasSubstr("SHA-1 or MD5"));
  EXPECT_THAT(Refusal({MakeCrl(root_, {.other_inner_algorithm = true})}, {&root_}),
              HasSubstr("inside and outside differ"));
}

TEST_F(RevocationIndexTest, WhatIsNoCrlIsAnErrorThatNamesIt) {
  EXPECT_THAT(Refusal({"rubbish"}, {&root_}), HasSubstr("ca.crl: CRL 1: "));
  EXPECT_THAT(Refusal({""}, {&root_}), HasSubstr("ca.crl: CRL 1: "));
  EXPECT_THAT(Refusal({root_.Pem()}, {&root_}), HasSubstr("no PEM block \"X509 CRL\""));
  EXPECT_THAT(Refusal({MakeCrl(root_, {}) + "x"}, {&root_}), HasSubstr("something follows"));
}

TEST_F(RevocationIndexTest, AnUnknownIssuersCrlRefusesButDoesNotVouch) {
  // The intermediate comes with the clients; the operator has but its CRL.
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const Index index = Build({MakeCrl(ca, {.entries = Entries({7})})});
  EXPECT_EQ(index->summaries().at(0).oddity, "issuer unknown");
  EXPECT_EQ(Both(index, Link(ca, {7})), "revoked revoked");
  EXPECT_EQ(Both(index, Link(ca, {8})), "none crl_missing");
  EXPECT_EQ(Both(index, Link(ca, {8}), kNow + 31 * kDay), "crl_stale crl_missing");
  EXPECT_EQ(index->Ask(Link(ca, {8}), kSoft, kNow).holds_until, kNow + 30 * kDay);
  EXPECT_EQ(Both(index, Link(7)), "none crl_missing") << "of another name";
}

TEST_F(RevocationIndexTest, AnIssuerThatMayNotSignCrlsDoesNotVouch) {
  const TestCertificate ca = MakeRoot({.common_name = "ca", .key_usage = "critical,keyCertSign"});
  const Index index = Build({MakeCrl(ca, {.entries = Entries({7})})}, {&ca});
  EXPECT_EQ(index->summaries().at(0).oddity, "issuer may not sign CRLs");
  EXPECT_EQ(Both(index, Link(ca, {7})), "revoked revoked");
  EXPECT_EQ(Both(index, Link(ca, {8})), "none crl_missing");
  const TestCertificate may =
      MakeRoot({.common_name = "ca", .key_usage = "critical,keyCertSign,cRLSign"});
  EXPECT_EQ(Both(Build({MakeCrl(may, {})}, {&may}), Link(may, {8})), "none none");
}

TEST_F(RevocationIndexTest, CrossSignedTwinsShareTheirCrl) {
  const TestCertificate bridge = MakeRoot({.common_name = "bridge"});
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate twin = Reissue(bridge, ca, {.common_name = "CA ", .is_ca = true});
  const Index index = Build({MakeCrl(twin, {.entries = Entries({7})})}, {&twin});
  EXPECT_EQ(Link(ca, {7}).issuer, Link(twin, {7}).issuer) << "case and spaces do not matter";
  EXPECT_EQ(Both(index, Link(ca, {7})), "revoked revoked");
  EXPECT_EQ(Both(index, Link(ca, {8})), "none none");
}

TEST_F(RevocationIndexTest, ACrlSignersOwnKeySpeaksForItsNamesakeUnderTheSameRoot) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .key_usage = "keyCertSign"});
  const TestCertificate signer = MakeCa(root_, {.common_name = "ca", .key_usage = "cRLSign"});
  const std::string crl = MakeCrl(signer, {.entries = Entries({7})});
  const Index index = Build({crl}, {&root_, &ca, &signer});
  EXPECT_EQ(Both(index, Link(ca, {7})), "revoked revoked");
  EXPECT_EQ(Both(index, Link(ca, {8})), "none none");
  // A namesake under another root has nothing to do with it.
  const TestCertificate foreign_root = MakeRoot({.common_name = "foreign"});
  const TestCertificate foreign = MakeCa(foreign_root, {.common_name = "ca"});
  const Index apart = Build({crl}, {&root_, &signer, &foreign_root, &foreign});
  EXPECT_EQ(Both(apart, Link(foreign, {7})), "none crl_missing");
}

TEST_F(RevocationIndexTest, ARevokedSignersCrlRefusesButDoesNotVouch) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .key_usage = "keyCertSign"});
  const TestCertificate signer =
      MakeCa(root_, {.common_name = "ca", .key_usage = "cRLSign", .serial = 21});
  const std::string crl = MakeCrl(signer, {.entries = Entries({7})});
  for (const bool is_revoked : {false, true}) {
    const std::string of_root =
        MakeCrl(root_, {.entries = Entries({static_cast<uint8_t>(is_revoked ? 21 : 20)})});
    for (const auto& crls : {std::vector{crl, of_root}, std::vector{of_root, crl}}) {
      const Index index = Build(crls, {&root_, &ca, &signer});
      EXPECT_EQ(Both(index, Link(ca, {8})), is_revoked ? "none crl_missing" : "none none");
      EXPECT_EQ(Both(index, Link(ca, {7})), "revoked revoked");
      const CrlSummary& summary = index->summaries()[crls[0] == crl ? 0 : 1];
      EXPECT_EQ(summary.oddity, is_revoked ? "signer revoked" : "");
      EXPECT_EQ(summary.is_in_use, !is_revoked);
    }
  }
}

TEST_F(RevocationIndexTest, ASignerStandsWhileOneOfItsCertificatesDoes) {
  const TestCertificate bridge = MakeRoot({.common_name = "bridge"});
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 21});
  const TestCertificate twin =
      Reissue(bridge, ca, {.common_name = "ca", .is_ca = true, .serial = 22});
  const std::string crl = MakeCrl(ca, {});
  const std::string of_root = MakeCrl(root_, {.entries = Entries({21, 22})});
  const std::string of_bridge = MakeCrl(bridge, {.entries = Entries({22})});
  const auto ask = [&](const std::vector<std::string>& crls) {
    return Both(Build(crls, {&root_, &bridge, &ca, &twin}), Link(ca, {8}));
  };
  EXPECT_EQ(ask({crl, of_root}), "none none") << "22 is another's there";
  EXPECT_EQ(ask({crl, of_bridge}), "none none");
  EXPECT_EQ(ask({crl, of_root, of_bridge}), "none crl_missing");
}

TEST_F(RevocationIndexTest, ARootThatListsItselfIsNotMeant) {
  const TestCertificate root = MakeRoot({.common_name = "root", .serial = 21});
  const Index index = Build({MakeCrl(root, {.entries = Entries({21})})}, {&root});
  EXPECT_EQ(Both(index, Link(root, {8})), "none none");
}

TEST_F(RevocationIndexTest, AfterARolloverEachKeysCrlCountsForItsOwnCertificates) {
  const TestCertificate old_key = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate new_key = MakeCa(root_, {.common_name = "ca"});
  const Index index =
      Build({MakeCrl(old_key, {.next_update = kNow + kHour, .number = 1, .entries = Entries({7})}),
             MakeCrl(new_key, {.number = 2})},
            {&root_, &old_key, &new_key});
  EXPECT_EQ(Both(index, Link(old_key, {7})), "revoked revoked");
  EXPECT_EQ(Both(index, Link(old_key, {8}), kNow + 2 * kHour), "crl_stale crl_stale");
  EXPECT_EQ(Both(index, Link(new_key, {8}), kNow + 2 * kHour), "none none");
}

TEST_F(RevocationIndexTest, OfSeveralTheNewestCounts) {
  const std::string older = MakeCrl(root_, {.number = 1, .entries = Entries({7})});
  const std::string newer = MakeCrl(root_, {.number = 300, .entries = Entries({8})});
  for (const auto& crls : {std::vector{older, newer}, std::vector{newer, older}}) {
    const Index index = Build(crls);
    EXPECT_EQ(Both(index, Link(7)), "none none");
    EXPECT_EQ(Both(index, Link(8)), "revoked revoked");
    EXPECT_EQ(index->summaries().at(crls[0] == older ? 0 : 1).oddity, "superseded");
    EXPECT_EQ(index->summaries().at(crls[0] == older ? 1 : 0).oddity, "");
    EXPECT_EQ(index->summaries().at(crls[0] == older ? 1 : 0).number, "012c");
  }
}

TEST_F(RevocationIndexTest, WithoutNumbersTheLatestCounts) {
  const Index index =
      Build({AsPem(MakeCrl(
                 root_, {.this_update = kNow - 2 * kDay, .number = 9, .entries = Entries({7})})) +
             AsPem(MakeCrl(root_, {.this_update = kNow - kDay, .entries = Entries({8})}))});
  EXPECT_EQ(Both(index, Link(7)), "none none");
  EXPECT_EQ(Both(index, Link(8)), "revoked revoked");
}

TEST_F(RevocationIndexTest, ADeltaAddsAndRemoves) {
  const std::string base =
      MakeCrl(root_, {.next_update = kNow + kHour,
                      .number = 5,
                      .entries = {{.serial = {7}, .reason = 6}, {.serial = {8}}}});
  const std::string delta =
      MakeCrl(root_, {.next_update = kNow + 2 * kHour,
                      .number = 7,
                      .base_number = 4,
                      .entries = {{.serial = {7}, .reason = 8}, {.serial = {9}}}});
  const std::string older_delta =
      MakeCrl(root_, {.number = 6, .base_number = 4, .entries = {{.serial = {10}}}});
  const Index index = Build({delta, older_delta, base});
  EXPECT_EQ(Both(index, Link(7)), "none none") << "released from hold";
  EXPECT_EQ(Both(index, Link(8)), "revoked revoked");
  EXPECT_EQ(Both(index, Link(9)), "revoked revoked");
  EXPECT_EQ(Both(index, Link(10)), "none none");
  EXPECT_EQ(index->Ask(Link(7), kRequire, kNow).holds_until, kNow + 2 * kHour);
  EXPECT_TRUE(index->summaries().at(0).is_delta);
  EXPECT_EQ(index->summaries().at(0).num_entries, 2U);
  EXPECT_EQ(index->summaries().at(1).oddity, "superseded");
}

TEST_F(RevocationIndexTest, ADeltaWithoutItsBaseRefusesButDoesNotVouch) {
  const std::string base = MakeCrl(root_, {.number = 3, .entries = Entries({8})});
  const std::string delta = MakeCrl(
      root_,
      {.number = 7, .base_number = 4, .entries = {{.serial = {8}, .reason = 8}, {.serial = {9}}}});
  const Index alone = Build({delta});
  EXPECT_EQ(Both(alone, Link(9)), "revoked revoked");
  EXPECT_EQ(Both(alone, Link(10)), "none crl_missing");
  EXPECT_EQ(alone->summaries().at(0).oddity, "no base for it");
  const Index gap = Build({base, delta});
  EXPECT_EQ(Both(gap, Link(8)), "revoked revoked") << "nothing is released by a delta that misses";
  EXPECT_EQ(Both(gap, Link(9)), "revoked revoked");
  EXPECT_EQ(Both(gap, Link(10)), "none none");
}

TEST_F(RevocationIndexTest, ADeltaThatTheBaseHasOvertakenIsOver) {
  const std::string base = MakeCrl(root_, {.number = 9});
  const std::string delta =
      MakeCrl(root_, {.number = 7, .base_number = 4, .entries = Entries({7})});
  const Index index = Build({delta, base});
  EXPECT_EQ(Both(index, Link(7)), "none none");
  EXPECT_EQ(index->summaries().at(0).oddity, "superseded");
}

TEST_F(RevocationIndexTest, ACrlForUsersOrCasCoversThoseOnly) {
  const std::string users = MakeCrl(root_, {.entries = Entries({7}), .scope = Tlv(0x81, {0xff})});
  const std::string cas = MakeCrl(root_, {.entries = Entries({9}), .scope = Tlv(0x82, {0xff})});
  const std::string attributes = MakeCrl(root_, {.scope = Tlv(0x85, {0xff})});
  PathLink ca = Link(8);
  ca.is_ca = true;
  EXPECT_EQ(Both(Build({users}), Link(8)), "none none");
  EXPECT_EQ(Both(Build({users}), Link(7)), "revoked revoked");
  EXPECT_EQ(Both(Build({users}), ca), "none crl_missing");
  EXPECT_EQ(Both(Build({cas}), Link(8)), "none crl_missing");
  EXPECT_EQ(Both(Build({cas}), ca), "none none");
  EXPECT_EQ(Both(Build({cas, users}), Link(9)), "revoked revoked") << "scopes stand side by side";
  EXPECT_EQ(Both(Build({attributes}), Link(8)), "none crl_missing");
}

TEST_F(RevocationIndexTest, APartitionCoversWhoNamesIt) {
  const auto partition = [this](const std::string& uri, uint8_t serial) {
    return MakeCrl(root_,
                   {.entries = Entries({serial}), .scope = Tlv(0xa0, Tlv(0xa0, UriName(uri)))});
  };
  const Index index = Build({partition("http://a/1", 7), partition("http://a/2", 8)});
  PathLink link = Link(9);
  EXPECT_EQ(Both(index, link), "none crl_missing");
  link.distribution_points = {NameHash64(UriName("http://a/3"))};
  EXPECT_EQ(Both(index, link), "none crl_missing");
  link.distribution_points.push_back(NameHash64(UriName("http://a/2")));
  EXPECT_EQ(Both(index, link), "none none");
  EXPECT_EQ(Both(index, Link(7)), "revoked revoked");
  EXPECT_EQ(Both(index, Link(8)), "revoked revoked");
}

TEST_F(RevocationIndexTest, CrlsForSomeReasonsCoverTogether) {
  // Bit strings of nine flags: the first CRL has reasons 1 to 4, the second 5 to 8.
  const std::string some =
      MakeCrl(root_, {.next_update = kNow + kHour, .scope = Tlv(0x83, {0x03, 0x78})});
  const std::string rest = MakeCrl(root_, {.scope = Tlv(0x83, {0x07, 0x07, 0x80})});
  EXPECT_EQ(Both(Build({some}), Link(8)), "none crl_missing");
  const Index index = Build({some, rest});
  EXPECT_EQ(Both(index, Link(8)), "none none");
  EXPECT_EQ(index->Ask(Link(8), kSoft, kNow).holds_until, kNow + kHour);
  EXPECT_EQ(Both(index, Link(8), kNow + 2 * kHour), "crl_stale crl_stale");
}

TEST_F(RevocationIndexTest, AnIndirectCrlVouchesForNobodyAndMixesNobodyUp) {
  const TestCertificate other = MakeRoot({.common_name = "other"});
  const auto name_of = [](const TestCertificate& certificate) {
    uint8_t* der = nullptr;
    const int size = i2d_X509_NAME(X509_get_subject_name(certificate.x509()), &der);
    const bssl::UniquePtr<uint8_t> owner(der);
    return Tlv(0x30, Tlv(0xa4, Octets(der, der + size)));
  };
  const std::string crl = MakeCrl(
      root_, {.entries = {{.serial = {7}},
                          {.serial = {8}, .extensions = ExtensionOf(29, true, name_of(other))},
                          {.serial = {9}},
                          {.serial = {10}, .extensions = ExtensionOf(29, true, name_of(root_))}},
              .scope = Tlv(0x84, {0xff})});
  const Index index = Build({crl}, {&root_, &other});
  EXPECT_EQ(index->summaries().at(0).oddity, "indirect");
  EXPECT_EQ(Both(index, Link(7)), "revoked revoked");
  EXPECT_EQ(Both(index, Link(8)), "none crl_missing");
  EXPECT_EQ(Both(index, Link(9)), "none crl_missing");
  EXPECT_EQ(Both(index, Link(10)), "revoked revoked");
}

TEST_F(RevocationIndexTest, WhatIsCriticalAndUnknownRefusesButDoesNotVouch) {
  const Octets unknown = ExtensionOf(99, true, {0x05, 0x00});
  const std::string in_crl = MakeCrl(root_, {.entries = Entries({7}), .extensions = unknown});
  EXPECT_EQ(Both(Build({in_crl}), Link(7)), "revoked revoked");
  EXPECT_EQ(Both(Build({in_crl}), Link(8)), "none crl_missing");
  const std::string plain = MakeCrl(root_, {.entries = Entries({9})});
  EXPECT_EQ(Both(Build({in_crl, plain}), Link(9)), "revoked revoked") << "not superseded by it";
  const std::string in_entry =
      MakeCrl(root_, {.entries = {{.serial = {7}, .extensions = unknown}}});
  EXPECT_EQ(Both(Build({in_entry}), Link(7)), "revoked revoked");
  EXPECT_EQ(Both(Build({in_entry}), Link(8)), "none crl_missing");
}

TEST_F(RevocationIndexTest, ACrlOfTheFutureRefusesAtOnceAndVouchesFromItsTimeOn) {
  const std::string present = MakeCrl(root_, {.next_update = kNow + kHour, .number = 1});
  const std::string future =
      MakeCrl(root_, {.this_update = kNow + 60, .number = 2, .entries = Entries({7})});
  const Index index = Build({future});
  EXPECT_EQ(index->summaries().at(0).oddity, "not yet valid");
  EXPECT_EQ(Both(index, Link(7)), "revoked revoked");
  EXPECT_EQ(Both(index, Link(8)), "none crl_missing");
  EXPECT_EQ(Both(index, Link(8), kNow + 60), "none none");
  EXPECT_EQ(Both(Build({future, present}), Link(8)), "none none") << "it supersedes nothing";
}

TEST_F(RevocationIndexTest, SummariesSayWhatOperatorsAsk) {
  const Index index = Build(
      {MakeCrl(root_, {.next_update = kNow - 1, .number = 10, .entries = Entries({1, 2, 3})})});
  ASSERT_EQ(index->summaries().size(), 1U);
  const CrlSummary& summary = index->summaries()[0];
  EXPECT_EQ(summary.issuer, "CN=root");
  EXPECT_EQ(summary.origin, "ca.crl");
  EXPECT_EQ(summary.number, "0a");
  EXPECT_EQ(summary.this_update, kNow - kDay);
  EXPECT_EQ(summary.next_update, kNow - 1);
  EXPECT_EQ(summary.num_entries, 3U);
  EXPECT_EQ(summary.oddity, "stale");
}

TEST_F(RevocationIndexTest, TheEpochIsOfTheCrlsInUse) {
  const std::string one = MakeCrl(root_, {.number = 1});
  const std::string two = MakeCrl(root_, {.number = 2});
  EXPECT_EQ(Build({one})->epoch(), Build({one, one})->epoch());
  EXPECT_EQ(Build({one, two})->epoch(), Build({two})->epoch()) << "the first is superseded";
  EXPECT_NE(Build({one})->epoch(), Build({two})->epoch());
  EXPECT_NE(Build({one})->epoch(), Build({})->epoch());
}

}  // namespace
}  // namespace portcullis::tls
