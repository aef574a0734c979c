// ScratchFolder: a private temporary folder (mode 0700) that is removed, with all it holds, when
// the object goes.
//
// Owned by the subcommand or test that needs it; one thread. Set-up code: it blocks on the disk.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace portcullis::server {

class ScratchFolder {
 public:
  // Create makes a folder named `prefix` plus random characters under $TMPDIR or /tmp.
  static absl::StatusOr<ScratchFolder> Create(std::string_view prefix);

  ~ScratchFolder();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&& other) noexcept;

  [[nodiscard]] const std::string& path() const { return path_; }
  // PathOf is the absolute path of `name` in the folder.
  [[nodiscard]] std::string PathOf(std::string_view name) const;

  // Write creates the file `name` (which may name one sub-folder, made with mode 0700) with mode
  // 0600. A file already there is an error: nothing is ever followed or overwritten.
  absl::Status Write(std::string_view name, std::string_view contents) const;

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  void Remove() noexcept;

  std::string path_;  // empty: moved from
};

}  // namespace portcullis::server
