#include "core/config/map_reader.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "core/config/address.h"
#include "core/config/byte_sizes.h"
#include "core/config/did_you_mean.h"
#include "core/config/durations.h"
#include "core/config/server_name.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

absl::Status CheckAnyText(std::string_view text) {
  const bool control = std::any_of(
      text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; });
  if (control) {
    return absl::InvalidArgumentError("it has a line break or another control character");
  }
  return text.empty() ? absl::InvalidArgumentError("it is empty") : absl::OkStatus();
}

absl::Status CheckName(std::string_view text) {
  constexpr size_t kMaxBytes = 128;
  if (text.empty()) return absl::InvalidArgumentError("it is empty");
  if (text.size() > kMaxBytes) return absl::InvalidArgumentError("it is too long");
  const bool fits = std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '.' || c == '_' || c == '-' || c == '*';
  });
  return fits ? absl::OkStatus() : absl::InvalidArgumentError("it has other characters");
}

// What stands for an unknown key in a path: itself if it looks like a field, else its description.
std::string KeyName(const YamlNode& key) {
  return key.kind == YamlKind::kScalar && CheckName(key.text).ok() ? key.text : DescribeFound(key);
}

absl::Status CheckListenAddress(std::string_view text) { return ParseListenAddress(text).status(); }
absl::Status CheckTargetAddress(std::string_view text) { return ParseTargetAddress(text).status(); }
absl::Status CheckServerName(std::string_view text) { return ParseServerName(text).status(); }

}  // namespace

const TextRule kAnyTextRule = {CheckAnyText, "text on one line"};
const TextRule kNameRule = {CheckName, "a name of 1 to 128 letters, digits, '.', '_', '-' and '*'"};
const TextRule kListenAddressRule = {CheckListenAddress, kListenAddressForms};
const TextRule kTargetAddressRule = {CheckTargetAddress, kTargetAddressForms};
const TextRule kServerNameRule = {CheckServerName, kServerNameForms};

MapReader::MapReader(ReadContext& context, Value value)
    : context_(context), value_(std::move(value)) {}

std::optional<Value> MapReader::Take(std::string_view field) {
  taken_.push_back(field);
  for (const YamlNode::Entry& entry : value_.node.entries) {
    if (entry.key->kind != YamlKind::kScalar || entry.key->text != field) continue;
    Value value{*entry.value, FieldPath(value_.path, field)};
    context_.sources.Add(value.path, value.node.where);
    return value;
  }
  return std::nullopt;
}

void MapReader::Text(std::string_view field, const TextRule& rule, std::string& out) {
  const std::optional<Value> value = Take(field);
  if (!value) return;
  if (std::optional<std::string> text = TextOf(context_, *value, rule)) out = *std::move(text);
}

void MapReader::Path(std::string_view field, std::string& out) {
  std::string path;
  Text(field, kAnyTextRule, path);
  if (!path.empty()) out = ResolvePath(context_, path);
}

void MapReader::Number(std::string_view field, NumberRange range, uint32_t& out) {
  const std::optional<Value> value = Take(field);
  if (!value) return;
  const std::optional<uint32_t> number = ParseWhole<uint32_t>(value->node.text);
  if (!number || *number < range.min || *number > range.max) {
    Reject(context_, *value, Concat("a whole number from ", range.min, " to ", range.max));
    return;
  }
  out = *number;
}

void MapReader::Bytes(std::string_view field, NumberRange range, uint32_t& out) {
  const std::optional<Value> value = Take(field);
  if (!value) return;
  const std::optional<uint64_t> size = ParseByteSize(value->node.text);
  if (!size || *size < range.min || *size > range.max) {
    Reject(context_, *value,
           Concat("a size such as 32768, 32KiB or 1MiB, from ", FormatByteSize(range.min), " to ",
                  FormatByteSize(range.max)));
    return;
  }
  out = static_cast<uint32_t>(*size);
}

void MapReader::Duration(std::string_view field, DurationRange range,
                         std::chrono::milliseconds& out) {
  const std::optional<Value> value = Take(field);
  if (!value) return;
  const std::optional<std::chrono::milliseconds> duration = ParseDuration(value->node.text);
  if (!duration || *duration < range.min || *duration > range.max) {
    Reject(context_, *value,
           Concat("a duration such as 250ms, 10s, 2m or 1h, from ", FormatDuration(range.min),
                  " to ", FormatDuration(range.max)));
    return;
  }
  out = *duration;
}

void MapReader::Seconds(std::string_view field, DurationRange range, std::chrono::seconds& out) {
  std::chrono::milliseconds read = out;
  Duration(field, range, read);
  out = std::chrono::duration_cast<std::chrono::seconds>(read);
  if (out == read) return;
  const std::string path = FieldPath(value_.path, field);
  context_.diagnostics.Error(
      {context_.sources.Find(path), path, Concat("'", read.count(), "ms'"), "whole seconds", ""});
}

void MapReader::TextList(std::string_view field, const TextRule& rule,
                         std::vector<std::string>& out) {
  List(field, [&](const Value& item, size_t) {
    if (std::optional<std::string> text = TextOf(context_, item, rule)) {
      out.push_back(*std::move(text));
    }
  });
}

void MapReader::Word(std::string_view field, std::span<const std::string_view> words,
                     std::string& out) {
  if (const std::optional<size_t> index = TakeChoice(field, words)) {
    out = std::string(words[*index]);
  }
}

std::optional<size_t> MapReader::TakeChoice(std::string_view field,
                                            std::span<const std::string_view> words) {
  const std::optional<Value> value = Take(field);
  return value ? WordOf(context_, *value, words) : std::nullopt;
}

const YamlNode* MapReader::TakeList(std::string_view field, std::string& path) {
  const std::optional<Value> value = Take(field);
  if (!value) return nullptr;
  path = value->path;
  if (value->node.kind == YamlKind::kList && !value->node.items.empty()) return &value->node;
  if (value->node.kind == YamlKind::kList) {
    context_.diagnostics.Error(
        {value->node.where, path, "an empty list", "a list of one or more", ""});
  } else {
    Reject(context_, *value, "a list of one or more",
           value->node.kind == YamlKind::kScalar ? "write it as '- item' or [item]" : "");
  }
  return nullptr;
}

void MapReader::Finish() {
  if (value_.node.kind != YamlKind::kMap) {
    if (value_.node.kind == YamlKind::kNull) return;
    std::sort(taken_.begin(), taken_.end());
    Reject(context_, value_, Concat("a mapping with the fields ", Join(taken_, ", ")));
    return;
  }
  std::map<std::string_view, Position> seen;
  for (const YamlNode::Entry& entry : value_.node.entries) {
    const YamlNode& key = *entry.key;
    if (key.kind != YamlKind::kScalar) {
      ReportUnknown(key);
      continue;
    }
    const auto [first, is_new] = seen.try_emplace(key.text, key.where);
    const bool known = std::find(taken_.begin(), taken_.end(), key.text) != taken_.end();
    if (!is_new) {
      context_.diagnostics.Error(
          {key.where, FieldPath(value_.path, known ? key.text : KeyName(key)),
           Concat("the field a second time, the first in line ", first->second.line),
           "each field once", ""});
    } else if (!known) {
      ReportUnknown(key);
    }
  }
}

void MapReader::Require(std::string_view field, std::string_view allowed) {
  if (value_.node.kind != YamlKind::kMap && value_.node.kind != YamlKind::kNull) {
    return;  // reported as such
  }
  if (has(field)) return;
  context_.diagnostics.Error({where(), FieldPath(path(), field), "nothing", std::string(allowed),
                              "the field is required"});
}

bool MapReader::has(std::string_view field) const {
  return context_.sources.Has(FieldPath(path(), field));
}

void MapReader::ReportUnknown(const YamlNode& key) {
  std::vector<std::string_view> known = taken_;
  std::sort(known.begin(), known.end());
  context_.diagnostics.Error({key.where, FieldPath(value_.path, KeyName(key)), "an unknown field",
                              Join(known, ", "), DidYouMean(key.text, known)});
}

std::optional<std::string> TextOf(ReadContext& context, const Value& value, const TextRule& rule) {
  if (value.node.kind != YamlKind::kScalar) {
    Reject(context, value, rule.allowed);
    return std::nullopt;
  }
  if (const absl::Status status = rule.check(value.node.text); !status.ok()) {
    Reject(context, value, rule.allowed, std::string(status.message()));
    return std::nullopt;
  }
  return value.node.text;
}

std::optional<size_t> WordOf(ReadContext& context, const Value& value,
                             std::span<const std::string_view> words) {
  const auto it = std::find(words.begin(), words.end(), value.node.text);
  if (value.node.kind == YamlKind::kScalar && it != words.end()) {
    return static_cast<size_t>(it - words.begin());
  }
  Reject(context, value, Join(words, ", "), DidYouMean(value.node.text, words));
  return std::nullopt;
}

void Reject(ReadContext& context, const Value& value, std::string_view allowed,
            std::string_view hint) {
  context.diagnostics.Error({value.node.where, value.path, DescribeFound(value.node),
                             std::string(allowed), std::string(hint)});
}

std::string ResolvePath(const ReadContext& context, std::string_view path) {
  return (std::filesystem::path(context.folder) / std::string(path)).string();
}

}  // namespace portcullis::config
