#include "core/server/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace portcullis::server {
namespace {

constexpr size_t kMaxBytes = size_t{64} << 20;

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

}  // namespace

std::string Place(const config::Location& where) {
  if (where.file.empty()) return "";
  return absl::StrCat(where.file, ":", where.line, ":", where.column, ": ");
}

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
          absl::StrCat(Place(where), "'", path, "' is larger than 64 MiB"));
    }
  }
  if (ferror(file.get()) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(Place(where), "cannot read '", path, "': ", strerror(errno)));
  }
  return content;
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
