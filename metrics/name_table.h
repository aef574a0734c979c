// NameTable: dense ids for names that come and go with reloads. An id belongs to its name for the
// life of the process, so a counter indexed by it never changes its meaning; a name that comes back
// finds its old id and numbers. Written by the supervisor, read by the admin threads; locked, and
// so not for workers, who only ever see ids.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace portcullis::metrics {

class NameTable {
 public:
  // `what` names the things in errors ("listener"); `capacity` bounds the names ever added.
  NameTable(std::string_view what, size_t capacity) : what_(what), capacity_(capacity) {}

  // IdOf returns the id of `name`, below capacity, adding it if it is new. ResourceExhausted when
  // the process has already seen `capacity` other names.
  [[nodiscard]] absl::StatusOr<size_t> IdOf(std::string_view name);

  // Names returns all names ever added, in order of their ids.
  [[nodiscard]] std::vector<std::string> Names() const;

 private:
  const std::string what_;
  const size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<std::string> names_;  // guarded by mutex_
};

}  // namespace portcullis::metrics
