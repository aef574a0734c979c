#include "core/server/commands/flags.h"

#include <algorithm>
#include <optional>

#include "core/config/did_you_mean.h"
#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

const Flag* FindFlag(std::span<const Flag> flags, std::string_view name) {
  const auto found =
      std::ranges::find_if(flags, [name](const Flag& flag) { return flag.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

std::vector<std::string_view> NamesOf(std::span<const Flag> flags) {
  std::vector<std::string_view> names;
  for (const Flag& flag : flags) names.push_back(flag.name);
  return names;
}

// Stores a flag's value: what stands behind its "=", or the word after it.
absl::Status Store(const Flag& flag, std::optional<std::string_view> joined,
                   std::span<const char* const> words, size_t& next, Values& values) {
  std::string_view value;
  if (flag.value.empty()) {
    if (joined.has_value()) {
      return absl::InvalidArgumentError(Cat("--", flag.name, " takes no value"));
    }
  } else {
    if (joined.has_value()) {
      value = *joined;
    } else if (next < words.size()) {
      value = words[next++];
    }
    if (value.empty()) {
      return absl::InvalidArgumentError(Cat("--", flag.name, " needs a value: ", FlagLine(flag)));
    }
  }
  std::vector<std::string_view>& given = values[flag.name];
  if (!given.empty() && !flag.repeats) {
    return absl::InvalidArgumentError(Cat("--", flag.name, " is given twice"));
  }
  given.push_back(value);
  return absl::OkStatus();
}

}  // namespace

std::string Get(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : std::string(found->second.front());
}

std::vector<std::string> GetAll(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  if (found == values.end()) return {};
  return {found->second.begin(), found->second.end()};
}

absl::Status ReadFlags(std::span<const Flag> flags, bool takes_operand,
                       std::span<const char* const> words, Values& values) {
  for (size_t i = 0; i < words.size();) {
    std::string_view word = words[i++];
    if (word == "--help" || word == "-h") return absl::OutOfRangeError("help");
    if (takes_operand && !word.starts_with("-") && !values.contains("")) {
      values[""].push_back(word);
      continue;
    }
    if (!word.starts_with("--") || word.size() == 2) {
      return absl::InvalidArgumentError(Cat("unexpected argument '", word, "'"));
    }
    word.remove_prefix(2);
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const Flag* const flag = FindFlag(flags, name);
    if (flag == nullptr) {
      return absl::InvalidArgumentError(
          Cat("unknown flag '--", name, "'", MeaningHint(name, NamesOf(flags), "--")));
    }
    const std::optional<std::string_view> joined =
        equals == word.npos ? std::nullopt : std::optional(word.substr(equals + 1));
    if (absl::Status stored = Store(*flag, joined, words, i, values); !stored.ok()) return stored;
  }
  return absl::OkStatus();
}

std::string FlagLine(const Flag& flag) {
  return flag.value.empty() ? Cat("--", flag.name) : Cat("--", flag.name, " ", flag.value);
}

std::string FlagsHelp(std::span<const Flag> flags) {
  size_t width = 18;
  for (const Flag& flag : flags) width = std::max(width, FlagLine(flag).size());
  std::string text;
  for (const Flag& flag : flags) {
    std::string line = FlagLine(flag);
    line.resize(width, ' ');
    Append(&text, "  ", line, "  ", flag.help, "\n");
  }
  return text;
}

std::string MeaningHint(std::string_view name, const std::vector<std::string_view>& candidates,
                        std::string_view prefix) {
  const std::string_view meant = config::Nearest(name, candidates);
  return meant.empty() ? std::string() : Cat("; did you mean '", prefix, meant, "'?");
}

}  // namespace portcullis::server
