// MapReader: takes the fields of one YAML mapping into typed values, reporting whatever does not
// fit: wrong types, values out of range, unknown and repeated fields. A field that is absent or
// wrong leaves its destination as it was, so destinations start with their defaults. Lives on the
// stack of one ParseConfig call, one thread. It compares nothing with other parts of the
// configuration: that is Validate's.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "core/config/config.h"
#include "core/config/diagnostics.h"
#include "core/config/enum_names.h"
#include "core/config/source_map.h"
#include "core/config/yaml_tree.h"

namespace portcullis::config {

// What reading goes along with.
struct ReadContext {
  Diagnostics& diagnostics;
  SourceMap& sources;
  std::string folder;  // of the configuration file; relative paths start there

  // Written returns where the field at `path` stands, or what encloses it.
  [[nodiscard]] Location Written(std::string_view path) const {
    return diagnostics.At(sources.Find(path), path);
  }
};

// A value to be read, and what messages call it.
struct Value {
  const YamlNode& node;
  std::string path;
};

// Tells whether a text fits: OK, or in a few words why not.
struct TextRule {
  absl::Status (*check)(std::string_view text);
  std::string_view allowed;
};

struct DurationRange {
  std::chrono::milliseconds min;
  std::chrono::milliseconds max;
};

struct NumberRange {
  uint32_t min;
  uint32_t max;
};

// Not empty, no control characters.
extern const TextRule kAnyTextRule;
// 1 to 128 letters, digits, '.', '_', '-' and '*': names end up as metric labels.
extern const TextRule kNameRule;
// As ParseListenAddress, ParseTargetAddress and ParseServerName.
extern const TextRule kListenAddressRule;
extern const TextRule kTargetAddressRule;
extern const TextRule kServerNameRule;

class MapReader {
 public:
  // An empty value counts as a mapping without fields; anything else but a mapping is reported by
  // Finish.
  MapReader(ReadContext& context, Value value);
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;

  // Take returns the field's value, or nothing when it is absent. Every field that may stand in the
  // mapping must be taken, by this or by one of the readers below, before Finish.
  std::optional<Value> Take(std::string_view field);

  // The following write the field's value to `out` if it is there and fits.
  //
  // Text takes a scalar that fits `rule`.
  void Text(std::string_view field, const TextRule& rule, std::string& out);
  // Path takes a file's path and resolves it (ResolvePath).
  void Path(std::string_view field, std::string& out);
  // Number takes decimal digits within `range`.
  void Number(std::string_view field, NumberRange range, uint32_t& out);
  // Bytes takes a size, "32KiB", within `range`, in bytes.
  void Bytes(std::string_view field, NumberRange range, uint32_t& out);
  // Duration takes a duration, "10s", within `range`.
  void Duration(std::string_view field, DurationRange range, std::chrono::milliseconds& out);
  // Seconds takes a duration of whole seconds within `range`.
  void Seconds(std::string_view field, DurationRange range, std::chrono::seconds& out);
  // Word takes one of `words`.
  void Word(std::string_view field, std::span<const std::string_view> words, std::string& out);
  // Choice takes one of the names in `table`.
  template <typename T, size_t N>
  void Choice(std::string_view field, const Named<T> (&table)[N], T& out);

  // List calls `each(Value item, size_t index)` for the items of a list, which must have one at
  // least.
  template <typename F>
  void List(std::string_view field, F&& each);
  // TextList appends the items, each of which must fit `rule`.
  void TextList(std::string_view field, const TextRule& rule, std::vector<std::string>& out);

  // Finish reports the fields that nobody took and those that stand there twice.
  void Finish();
  // Require reports that `field`, once taken, was absent; what is no mapping was reported by
  // Finish.
  void Require(std::string_view field, std::string_view allowed);
  // has returns whether `field` is there, well-formed or not.
  [[nodiscard]] bool has(std::string_view field) const;

  [[nodiscard]] const std::string& path() const { return value_.path; }
  [[nodiscard]] Position where() const { return value_.node.where; }

 private:
  std::optional<size_t> TakeChoice(std::string_view field, std::span<const std::string_view> words);
  const YamlNode* TakeList(std::string_view field, std::string& path);
  void ReportUnknown(const YamlNode& key);

  ReadContext& context_;
  Value value_;
  std::vector<std::string_view> taken_;
};

// TextOf returns the text of `value` if it is a scalar that fits `rule`, else reports it.
std::optional<std::string> TextOf(ReadContext& context, const Value& value, const TextRule& rule);

// WordOf returns the index in `words` of the text of `value`, or reports it.
std::optional<size_t> WordOf(ReadContext& context, const Value& value,
                             std::span<const std::string_view> words);

// Reject reports that `value` is not what is allowed.
void Reject(ReadContext& context, const Value& value, std::string_view allowed,
            std::string_view hint = {});

// ResolvePath returns `path` itself if absolute, else that folder's `path`. Its dots stay: a folder
// may be a symbolic link.
std::string ResolvePath(const ReadContext& context, std::string_view path);

template <typename T, size_t N>
void MapReader::Choice(std::string_view field, const Named<T> (&table)[N], T& out) {
  std::array<std::string_view, N> names;
  for (size_t i = 0; i < N; ++i) names[i] = table[i].name;
  if (const std::optional<size_t> index = TakeChoice(field, names)) out = table[*index].value;
}

template <typename F>
void MapReader::List(std::string_view field, F&& each) {
  std::string path;
  const YamlNode* list = TakeList(field, path);
  if (list == nullptr) return;
  for (size_t i = 0; i < list->items.size(); ++i) {
    Value item{*list->items[i], ItemPath(path, i)};
    context_.sources.Add(item.path, item.node.where);
    each(std::move(item), i);
  }
}

}  // namespace portcullis::config
