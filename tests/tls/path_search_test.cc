#include "tls/path_search.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"
#include "tls/boringssl_compat.h"
#include "tls/identity.h"

namespace portcullis::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kDay;
using testing::kNow;
using testing::MakeCa;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::Reissue;
using testing::TestCertificate;

std::string Text(PathSearch::Path path) {
  std::string text;
  for (const PathNode& node : path) {
    if (!text.empty()) text += " < ";
    text += NameText(X509_get_subject_name(node.x509)).substr(3) + "/" +
            SerialText(X509_get0_serialNumber(node.x509));
  }
  return text;
}

// What a search did: the paths it proposed, all of which were refused, and where it got stuck.
struct Trace {
  std::vector<std::string> proposed;
  std::vector<std::string> no_issuer;
  std::vector<std::string> may_not_sign;
  std::vector<std::string> too_long;
  bool stopped = false;
  size_t num_nodes = 0;
};

class PathSearchTest : public ::testing::Test {
 protected:
  static Trace Search(const std::shared_ptr<const TrustMaterial>& trust,
                      const std::vector<const TestCertificate*>& chain,
                      const SearchLimits& limits = {.max_depth = 8}) {
    CaObjects known(trust->known);
    std::vector<PathNode> presented;
    for (size_t i = 1; i < chain.size(); ++i) presented.push_back({.x509 = chain[i]->x509()});
    PathSearch search(known, presented, limits, kNow);
    Trace trace;
    const bool found = search.Run(
        {.x509 = chain.front()->x509()},
        [&](PathSearch::Path path) {
          trace.proposed.push_back(Text(path));
          return false;
        },
        [&](DeadEnd why, PathSearch::Path path) {
          (why == DeadEnd::kNoIssuer           ? trace.no_issuer
           : why == DeadEnd::kIssuerMayNotSign ? trace.may_not_sign
                                               : trace.too_long)
              .push_back(Text(path));
        });
    EXPECT_FALSE(found);
    trace.stopped = search.stopped();
    trace.num_nodes = search.num_nodes();
    return trace;
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root", .serial = 1});
};

TEST_F(PathSearchTest, ItEndsWithTheFirstPathThatWillDo) {
  const TestCertificate leaf = MakeLeaf(root_, {});
  const auto trust = MakeTrust({&root_});
  CaObjects known(trust->known);
  PathSearch search(known, {}, {.max_depth = 8}, kNow);
  size_t num_anchors = 0;
  EXPECT_TRUE(search.Run(
      {.x509 = leaf.x509()},
      [&](PathSearch::Path path) {
        EXPECT_EQ(path.back().source, PathSource::kAnchor);
        EXPECT_EQ(path.back().der.size(), root_.Der().size());
        ++num_anchors;
        return true;
      },
      [](DeadEnd, PathSearch::Path) { ADD_FAILURE(); }));
  EXPECT_EQ(num_anchors, 1U);
}

TEST_F(PathSearchTest, ValidIssuersComeBeforeExpiredAndAnchorsBeforeOthers) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 2});
  const TestCertificate expired =
      Reissue(root_, ca, {.common_name = "ca", .not_after = kNow - 1, .is_ca = true, .serial = 3});
  const TestCertificate presented =
      Reissue(root_, ca, {.common_name = "ca", .is_ca = true, .serial = 4});
  const TestCertificate leaf = MakeLeaf(ca, {.common_name = "leaf", .serial = 9});
  EXPECT_THAT(Search(MakeTrust({&expired, &ca, &root_}), {&leaf, &presented}).proposed,
              ElementsAre("leaf/09 < ca/02", "leaf/09 < ca/04 < root/01", "leaf/09 < ca/03"));
}

TEST_F(PathSearchTest, AFittingKeyIdentifierComesBeforeNoneAndAnotherIsNoIssuer) {
  const TestCertificate fits = MakeRoot({.common_name = "twin", .serial = 2});
  const TestCertificate silent = MakeRoot({.common_name = "twin", .key_ids = false, .serial = 3});
  const TestCertificate other = MakeRoot({.common_name = "twin", .serial = 4});
  const TestCertificate leaf = MakeLeaf(fits, {.common_name = "leaf", .serial = 9});
  EXPECT_THAT(Search(MakeTrust({&silent, &other, &fits}), {&leaf}).proposed,
              ElementsAre("leaf/09 < twin/02", "leaf/09 < twin/03"));
  // Whether the silent one is self-signed its signature will say; the others say so themselves.
  EXPECT_THAT(Search(MakeTrust({&root_}), {&leaf, &silent, &other, &fits}).no_issuer,
              ElementsAre("leaf/09 < twin/02", "leaf/09 < twin/03 < twin/04",
                          "leaf/09 < twin/03 < twin/02"));
}

TEST_F(PathSearchTest, ItGoesBackWhereOneLeadsNowhere) {
  const TestCertificate stranger = MakeRoot({.common_name = "stranger", .serial = 5});
  const TestCertificate ca = MakeCa(stranger, {.common_name = "ca", .serial = 2});
  const TestCertificate cross =
      Reissue(root_, ca, {.common_name = "ca", .is_ca = true, .serial = 3});
  const TestCertificate leaf = MakeLeaf(ca, {.common_name = "leaf", .serial = 9});
  const Trace trace = Search(MakeTrust({&root_}), {&leaf, &ca, &cross});
  EXPECT_THAT(trace.no_issuer, ElementsAre("leaf/09 < ca/02"));
  EXPECT_THAT(trace.proposed, ElementsAre("leaf/09 < ca/03 < root/01"));
}

TEST_F(PathSearchTest, WhatWasForbiddenIsNotProposedAgain) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 2});
  const TestCertificate cross =
      Reissue(root_, ca, {.common_name = "ca", .is_ca = true, .serial = 3});
  const TestCertificate twin = Reissue(root_, root_, {.common_name = "root", .is_ca = true});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const auto trust = MakeTrust({&root_, &twin});
  CaObjects known(trust->known);
  const std::vector<PathNode> presented = {{.x509 = ca.x509()}, {.x509 = cross.x509()}};
  PathSearch search(known, presented, {.max_depth = 8}, kNow);
  size_t num_proposed = 0;
  EXPECT_FALSE(search.Run(
      {.x509 = leaf.x509()},
      [&](PathSearch::Path path) {
        ++num_proposed;
        search.Forbid(path[0].x509, path[1].x509);
        return false;
      },
      [](DeadEnd, PathSearch::Path) {}));
  // Both anchors above the first, for which the pair was known too late; and above the second.
  EXPECT_EQ(num_proposed, 4U);
}

TEST_F(PathSearchTest, LoopsAreCut) {
  const TestCertificate a_base = MakeRoot({.common_name = "a"});
  const TestCertificate b_base = MakeRoot({.common_name = "b"});
  const TestCertificate a = Reissue(b_base, a_base, {.common_name = "a", .is_ca = true});
  const TestCertificate b = Reissue(a_base, b_base, {.common_name = "b", .is_ca = true});
  const TestCertificate a_again = Reissue(b_base, a_base, {.common_name = "a", .is_ca = true});
  const TestCertificate leaf = MakeLeaf(a_base, {.common_name = "leaf"});
  const Trace trace = Search(MakeTrust({&root_}), {&leaf, &a, &b, &a_again});
  EXPECT_FALSE(trace.stopped);
  EXPECT_EQ(trace.num_nodes, 4U);
  EXPECT_THAT(trace.proposed, IsEmpty());
}

TEST_F(PathSearchTest, AnIssuerWhoseKeyUsageForbidsItIsTold) {
  const TestCertificate ca =
      MakeCa(root_, {.common_name = "ca", .key_usage = "critical,digitalSignature", .serial = 2});
  const TestCertificate leaf = MakeLeaf(ca, {.common_name = "leaf", .serial = 9});
  const Trace trace = Search(MakeTrust({&root_}), {&leaf, &ca});
  EXPECT_THAT(trace.may_not_sign, ElementsAre("leaf/09 < ca/02"));
  EXPECT_THAT(trace.proposed, IsEmpty());
}

TEST_F(PathSearchTest, TheDepthIsOfIntermediates) {
  const TestCertificate upper = MakeCa(root_, {.common_name = "upper", .serial = 2});
  const TestCertificate lower = MakeCa(upper, {.common_name = "lower", .serial = 3});
  const TestCertificate leaf = MakeLeaf(lower, {.common_name = "leaf", .serial = 9});
  const auto trust = MakeTrust({&root_});
  EXPECT_EQ(Search(trust, {&leaf, &lower, &upper}, {.max_depth = 2}).proposed.size(), 1U);
  const Trace trace = Search(trust, {&leaf, &lower, &upper}, {.max_depth = 1});
  EXPECT_THAT(trace.too_long, ElementsAre("leaf/09 < lower/03 < upper/02"));
  EXPECT_THAT(trace.proposed, IsEmpty());
}

TEST_F(PathSearchTest, TheNumberOfNodesIsBounded) {
  // Each "a" may have issued each "b", and the other way round: the paths are factorials many.
  const TestCertificate a = MakeRoot({.common_name = "a", .key_ids = false});
  const TestCertificate b = MakeRoot({.common_name = "b", .key_ids = false});
  std::vector<TestCertificate> cas;
  for (int i = 0; i < 6; ++i) {
    cas.push_back(MakeCa(b, {.common_name = "a", .key_ids = false}));
    cas.push_back(MakeCa(a, {.common_name = "b", .key_ids = false}));
  }
  const TestCertificate leaf = MakeLeaf(a, {.key_ids = false});
  std::vector<const TestCertificate*> chain = {&leaf};
  for (const TestCertificate& ca : cas) chain.push_back(&ca);
  const Trace trace = Search(MakeTrust({&root_}), chain, {.max_depth = 20, .max_nodes = 50});
  EXPECT_TRUE(trace.stopped);
  EXPECT_EQ(trace.num_nodes, 50U);
}

TEST_F(PathSearchTest, IntermediatesOfTheBundleAreAnchorsOnlyIfAsked) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 2});
  const TestCertificate leaf = MakeLeaf(ca, {.common_name = "leaf", .serial = 9});
  const auto trust = MakeTrust({&ca, &root_});
  EXPECT_THAT(Search(trust, {&leaf}).proposed, ElementsAre("leaf/09 < ca/02"));
  EXPECT_THAT(Search(trust, {&leaf}, {.max_depth = 8, .intermediates_as_anchors = false}).proposed,
              ElementsAre("leaf/09 < ca/02 < root/01"));
}

}  // namespace
}  // namespace portcullis::tls
