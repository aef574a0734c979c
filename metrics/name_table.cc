#include "metrics/name_table.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace portcullis::metrics {

absl::StatusOr<size_t> NameTable::IdOf(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) return static_cast<size_t>(found - names_.begin());
  if (names_.size() == capacity_) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot count for ", what_, " \"", std::string(name), "\": this process has already seen ",
        capacity_, " other ", what_, " names; restart it to start over"));
  }
  names_.emplace_back(name);
  return names_.size() - 1;
}

std::vector<std::string> NameTable::Names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

}  // namespace portcullis::metrics
