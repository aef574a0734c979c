// DidYouMean: the nearest of the known names to a misspelt one. For messages at start-up and
// reload; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace portcullis::config {

// EditDistance returns how many single-letter insertions, deletions, replacements and swaps of
// neighbours turn `a` into `b` (optimal string alignment), ASCII case ignored. Costs |a|*|b| steps.
size_t EditDistance(std::string_view a, std::string_view b);

// Nearest returns the candidate nearest to `word`, the earlier one on a tie, or "" when none is
// near enough to be a likely slip: at most one edit for every three letters of the longer of the
// two, one at the least. Candidates longer than 255 bytes are not considered.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates);

// DidYouMean returns "did you mean 'X'?", or "" when nothing is near.
std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace portcullis::config
