#include "core/server/commands/scratch_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

absl::Status WriteAll(int fd, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = write(fd, contents.data(), contents.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, "write");
    }
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ScratchFolder> ScratchFolder::Create(std::string_view prefix) {
  const char* root = getenv("TMPDIR");
  if (root == nullptr || root[0] != '/') root = "/tmp";
  std::string path = Cat(root, "/", prefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, Cat("cannot make a folder in ", root));
  }
  return ScratchFolder(std::move(path));
}

ScratchFolder::~ScratchFolder() { Remove(); }

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, std::string())) {}

ScratchFolder& ScratchFolder::operator=(ScratchFolder&& other) noexcept {
  if (this != &other) {
    Remove();
    path_ = std::exchange(other.path_, std::string());
  }
  return *this;
}

void ScratchFolder::Remove() noexcept {
  if (path_.empty()) return;
  std::error_code ignored;  // a leftover in /tmp is no reason to fail
  std::filesystem::remove_all(path_, ignored);
  path_.clear();
}

std::string ScratchFolder::PathOf(std::string_view name) const { return Cat(path_, "/", name); }

absl::Status ScratchFolder::Write(std::string_view name, std::string_view contents) const {
  const std::string path = PathOf(name);
  if (const size_t slash = name.find('/'); slash != name.npos) {
    const std::string folder = PathOf(name.substr(0, slash));
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return absl::ErrnoToStatus(errno, folder);
    }
  }
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  absl::Status status = WriteAll(fd, contents);
  if (close(fd) != 0 && status.ok()) status = absl::ErrnoToStatus(errno, "close");
  return status.ok() ? status : absl::Status(status.code(), Cat(path, ": ", status.message()));
}

}  // namespace portcullis::server
