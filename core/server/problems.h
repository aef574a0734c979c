// Problems: what is wrong with a configuration's material, collected while it is loaded so that one
// run of `check` shows all of it. On the stack of one LoadSnapshot, one thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "core/config/config.h"
#include "core/server/files.h"

namespace portcullis::server {

class Problems {
 public:
  // Add notes an error that names its place itself; OK is none.
  void Add(const absl::Status& status) {
    if (!status.ok()) lines_.emplace_back(status.message());
  }
  // Add notes an error about what stands at `where`.
  void Add(const config::Location& where, absl::string_view message) {
    lines_.push_back(absl::StrCat(Place(where), message));
  }
  // status is OK, or InvalidArgument with a line a problem.
  [[nodiscard]] absl::Status status() const {
    return lines_.empty() ? absl::OkStatus()
                          : absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

}  // namespace portcullis::server
