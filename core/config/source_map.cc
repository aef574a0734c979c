#include "core/config/source_map.h"

#include "core/config/text.h"

namespace portcullis::config {

Position SourceMap::Find(std::string_view path) const {
  while (!path.empty()) {
    if (const auto it = positions_.find(path); it != positions_.end()) return it->second;
    const size_t cut = path.find_last_of(".[");
    if (cut == std::string_view::npos) break;
    path = path.substr(0, cut);
  }
  return {1, 1};
}

std::string FieldPath(std::string_view parent, std::string_view field) {
  return parent.empty() ? std::string(field) : Concat(parent, ".", field);
}

std::string ItemPath(std::string_view list, size_t index) { return Concat(list, "[", index, "]"); }

}  // namespace portcullis::config
