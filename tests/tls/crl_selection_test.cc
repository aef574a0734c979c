#include "tls/crl_selection.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

// A candidate by its numbers; what it borrows is kept for the whole process.
CrlCandidate Make(const std::string& signer, uint8_t number, int64_t this_update,
                  int base_number = -1) {
  static const std::vector<uint8_t>* const kNumbers = [] {
    auto* const numbers = new std::vector<uint8_t>(256);
    for (size_t i = 0; i < numbers->size(); ++i) (*numbers)[i] = static_cast<uint8_t>(i);
    return numbers;
  }();
  CrlCandidate candidate;
  candidate.signer = signer;
  candidate.crl.this_update = this_update;
  candidate.crl.has_number = number != 0;
  if (number != 0) candidate.crl.number = Bytes(*kNumbers).subspan(number, 1);
  if (base_number >= 0) {
    candidate.crl.is_delta = true;
    candidate.crl.base_number = Bytes(*kNumbers).subspan(static_cast<size_t>(base_number), 1);
  }
  return candidate;
}

// As text: "0 1+2": the first by itself, the second with the third over it.
std::string Choose(const std::vector<CrlCandidate>& candidates) {
  std::string text;
  for (const CrlChoice& choice : ChooseCrls(candidates)) {
    if (!text.empty()) text += ' ';
    text += std::to_string(choice.base);
    if (choice.delta.has_value()) text += '+' + std::to_string(*choice.delta);
  }
  return text;
}

TEST(CrlSelection, TheNewestOfEachSignerCounts) {
  EXPECT_EQ(Choose({}), "");
  EXPECT_EQ(Choose({Make("a", 1, 10), Make("a", 2, 5), Make("b", 1, 1)}), "1 2");
  EXPECT_EQ(Choose({Make("a", 2, 5), Make("a", 2, 6)}), "1") << "by date where numbers are equal";
  EXPECT_EQ(Choose({Make("a", 9, 5), Make("a", 0, 6)}), "1") << "by date where one has no number";
}

TEST(CrlSelection, ScopesStandSideBySide) {
  const std::vector<uint8_t> scope = {1};
  CrlCandidate scoped = Make("a", 1, 1);
  scoped.crl.scope_der = scope;
  CrlCandidate strange = Make("a", 3, 3);
  strange.crl.unknown_critical = true;
  EXPECT_EQ(Choose({scoped, Make("a", 2, 2), strange}), "0 1 2");
}

TEST(CrlSelection, TheFutureSupersedesNothing) {
  CrlCandidate future = Make("a", 9, 100);
  future.is_future = true;
  EXPECT_EQ(Choose({Make("a", 1, 1), future}), "0 1");
}

TEST(CrlSelection, TheNewestDeltaThatFitsIsLaidOverItsBase) {
  const CrlCandidate base = Make("a", 5, 1);
  EXPECT_EQ(Choose({base, Make("a", 7, 2, 5), Make("a", 6, 3, 4)}), "0+1");
  EXPECT_EQ(Choose({base, Make("a", 7, 2, 6)}), "0 1") << "it needs a newer base";
  EXPECT_EQ(Choose({base, Make("a", 5, 2, 4)}), "0") << "the base has it all";
  EXPECT_EQ(Choose({Make("a", 7, 2, 5)}), "0");
  EXPECT_EQ(Choose({Make("b", 5, 1), Make("a", 7, 2, 5)}), "0 1");
}

}  // namespace
}  // namespace portcullis::tls
