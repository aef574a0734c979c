// SourceMap: which fields the text gave, by full path, and where each stands. Validation works on
// the typed Config and asks here for the place to point at, and whether a value was written or is a
// default. One ParseConfig call owns it, one thread. It holds no values.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/config/diagnostics.h"

namespace portcullis::config {

class SourceMap {
 public:
  // Add notes that the field at `path` was written at `where`; the first note of a path stays.
  void Add(std::string_view path, Position where) {
    positions_.try_emplace(std::string(path), where);
  }

  // Has returns whether the field was written, well-formed or not.
  [[nodiscard]] bool Has(std::string_view path) const { return positions_.contains(path); }

  // Find returns the place of `path`, or of the innermost enclosing value that was written; else
  // 1:1.
  [[nodiscard]] Position Find(std::string_view path) const;

 private:
  std::map<std::string, Position, std::less<>> positions_;
};

// FieldPath returns "parent.field", or "field" at the top.
std::string FieldPath(std::string_view parent, std::string_view field);
// ItemPath returns "list[index]".
std::string ItemPath(std::string_view list, size_t index);

}  // namespace portcullis::config
