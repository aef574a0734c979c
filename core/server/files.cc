#include "core/server/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace portcullis::server {
namespace {

constexpr size_t kMaxBytes = size_t{512} << 20;

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

void AppendPattern(std::string* out, std::string_view suffix) { out->append("*").append(suffix); }

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, const config::Location& where) {
  const File file(fopen(path.c_str(), "rbe"), &fclose);
  if (file == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(Place(where), "cannot read '", path, "': ", strerror(errno)));
  }
  std::string content;
  char buffer[16384];
  while (const size_t count = fread(buffer, 1, sizeof(buffer), file.get())) {
    content.append(buffer, count);
    if (content.size() > kMaxBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(Place(where), "'", path, "' is larger than 512 MiB"));
    }
  }
  if (ferror(file.get()) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(Place(where), "cannot read '", path, "': ", strerror(errno)));
  }
  return content;
}

absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path,
                                                 std::span<const std::string_view> suffixes,
                                                 const config::Location& where) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  fs::directory_iterator entries(path, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const bool wanted = std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view suffix) {
      return name.size() > suffix.size() && name.ends_with(suffix);
    });
    std::error_code ignored;
    const fs::file_type type = entries->status(ignored).type();
    // A link to nothing is kept: reading it says so.
    const bool is_file = type == fs::file_type::regular || type == fs::file_type::not_found;
    if (name.starts_with('.') || !wanted || !is_file) continue;
    files.push_back(entries->path().string());
  }
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat(Place(where), "cannot read folder '", path, "': ", error.message()));
  }
  if (files.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(Place(where), "folder '", path, "' has no file ",
                                                   absl::StrJoin(suffixes, ", ", AppendPattern)));
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool ReadableByOthers(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

absl::Status WriteWholeFile(const std::string& path, const std::string& content) {
  const std::string temporary = absl::StrCat(path, ".tmp.", getpid());
  const auto failed = [&](const char* what) {
    const int error = errno;
    unlink(temporary.c_str());
    return absl::UnavailableError(
        absl::StrCat("cannot ", what, " '", path, "': ", strerror(error)));
  };
  File file(fopen(temporary.c_str(), "wbe"), &fclose);
  if (file == nullptr) return failed("create");
  if (fwrite(content.data(), 1, content.size(), file.get()) != content.size())
    return failed("write");
  if (fclose(file.release()) != 0) return failed("write");
  if (rename(temporary.c_str(), path.c_str()) != 0) return failed("replace");
  return absl::OkStatus();
}

}  // namespace portcullis::server
