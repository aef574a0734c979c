#include "tls/crl_selection.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace portcullis::tls {
namespace {

struct Group {
  std::vector<size_t> bases;
  std::vector<size_t> deltas;
};

// Those without leading zeros.
int CompareNumbers(Bytes a, Bytes b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  const auto [at_a, at_b] = std::ranges::mismatch(a, b);
  if (at_a == a.end()) return 0;
  return *at_a < *at_b ? -1 : 1;
}

// A CRL that says something critical which is not understood supersedes none that is.
using GroupKey = std::tuple<std::string, bool, std::string>;

GroupKey KeyOf(const CrlCandidate& candidate) {
  const Bytes scope = candidate.crl.scope_der;
  return {candidate.signer, candidate.crl.unknown_critical,
          std::string(scope.begin(), scope.end())};
}

size_t Newest(std::span<const CrlCandidate> candidates, const std::vector<size_t>& of) {
  const bool by_number =
      std::ranges::all_of(of, [&](size_t i) { return candidates[i].crl.has_number; });
  return *std::ranges::max_element(of, [&](size_t i, size_t j) {
    const Crl& a = candidates[i].crl;
    const Crl& b = candidates[j].crl;
    const int numbers = by_number ? CompareNumbers(a.number, b.number) : 0;
    return numbers != 0 ? numbers < 0 : a.this_update < b.this_update;
  });
}

bool IsSuperseded(const Crl& delta, const Crl& base) {
  return base.has_number && delta.has_number && CompareNumbers(delta.number, base.number) <= 0;
}

bool Fits(const Crl& delta, const Crl& base) {
  return base.has_number && CompareNumbers(delta.base_number, base.number) <= 0;
}

void ChooseOfGroup(std::span<const CrlCandidate> candidates, const Group& group,
                   std::vector<CrlChoice>& choices) {
  if (group.bases.empty()) {
    for (const size_t delta : group.deltas) choices.push_back({.base = delta, .delta = {}});
    return;
  }
  CrlChoice choice{.base = Newest(candidates, group.bases), .delta = {}};
  const Crl& base = candidates[choice.base].crl;
  std::vector<size_t> fitting;
  for (const size_t delta : group.deltas) {
    if (IsSuperseded(candidates[delta].crl, base)) continue;
    if (Fits(candidates[delta].crl, base)) {
      fitting.push_back(delta);
    } else {
      choices.push_back({.base = delta, .delta = {}});
    }
  }
  if (!fitting.empty()) choice.delta = Newest(candidates, fitting);
  choices.push_back(choice);
}

}  // namespace

std::vector<CrlChoice> ChooseCrls(std::span<const CrlCandidate> candidates) {
  std::map<GroupKey, Group> groups;
  std::vector<CrlChoice> choices;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].is_future) {
      choices.push_back({.base = i, .delta = {}});
      continue;
    }
    Group& group = groups[KeyOf(candidates[i])];
    (candidates[i].crl.is_delta ? group.deltas : group.bases).push_back(i);
  }
  for (const auto& [key, group] : groups) ChooseOfGroup(candidates, group, choices);
  std::ranges::sort(choices, {}, &CrlChoice::base);
  return choices;
}

}  // namespace portcullis::tls
