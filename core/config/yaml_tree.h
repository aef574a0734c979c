// YamlTree: the values of one YAML document with the place of each. Built from yaml-cpp's parse
// events: its Node tells neither where an empty value belongs nor that further documents follow,
// and may contain itself. This is the one boundary to yaml-cpp: its exceptions end here. Owned by
// one ParseConfig call, one thread. Knows no field names.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/diagnostics.h"

namespace portcullis::config {

enum class YamlKind : uint8_t { kNull, kScalar, kList, kMap };

struct YamlNode {
  struct Entry {
    const YamlNode* key;
    const YamlNode* value;
  };

  YamlKind kind = YamlKind::kNull;
  Position where;                      // of an empty value in a map: that of its key
  std::string text;                    // kScalar
  std::vector<const YamlNode*> items;  // kList
  std::vector<Entry> entries;          // kMap, in the order of the text, repeated keys and all
  size_t num_values = 1;  // this and all below, counting what an alias stands for each time
};

struct YamlTree {
  // More values than this, aliases expanded, are refused: a few lines of nested aliases could stand
  // for billions.
  static constexpr size_t kMaxValues = 1 << 20;

  std::deque<YamlNode> nodes;  // a deque, for its elements stay where they are
  const YamlNode* root =
      nullptr;  // null: the text holds no document (empty, comments only) or has an error
};

// ParseYaml reads `text`, which must be UTF-8 and hold at most one document, without tags; aliases
// are replaced by what they stand for. Errors go to `diagnostics` with the document as their field.
YamlTree ParseYaml(std::string_view text, Diagnostics& diagnostics);

// DescribeFound returns how a message calls the value: "'text'", "nothing", "a list" or "a
// mapping".
std::string DescribeFound(const YamlNode& node);

}  // namespace portcullis::config
