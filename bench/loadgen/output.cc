#include "bench/loadgen/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace portcullis::bench {
namespace {

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::UnavailableError(absl::StrCat(
      "cannot write ", path, ": ", error == ENXIO ? "nobody reads from it" : std::strerror(error)));
}

// The open descriptor that a path names, -1 when it names none. Opening /dev/stdout anew would
// cut short, or replace, the file that it was redirected to.
int DescriptorOf(const std::string& path) {
  if (path == "-" || path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  absl::string_view number = path;
  int fd = -1;
  const bool names =
      absl::ConsumePrefix(&number, "/dev/fd/") || absl::ConsumePrefix(&number, "/proc/self/fd/");
  return names && absl::SimpleAtoi(number, &fd) && fd >= 0 ? fd : -1;
}

struct Place {
  std::string path;      // with symlinks followed
  bool replaced = true;  // by a new file, or written through
  int error = 0;
};

Place Find(const std::string& path) {
  struct stat there{};
  if (stat(path.c_str(), &there) != 0) {
    const int error = errno;
    if (error != ENOENT) return {.path = path, .error = error};
    // Nothing is there, or a symlink to nothing, whose target is to come to be.
    std::error_code none;
    const std::filesystem::path link = path;
    const std::filesystem::path target = std::filesystem::read_symlink(link, none);
    if (none) return {.path = path};
    return Find((link.parent_path() / target).string());
  }
  if (S_ISDIR(there.st_mode)) return {.path = path, .error = EISDIR};
  if (!S_ISREG(there.st_mode)) return {.path = path, .replaced = false};
  char real[PATH_MAX];
  if (realpath(path.c_str(), real) == nullptr) return {.path = path, .error = errno};
  return {.path = real};
}

// The file that is to take the place of `path`: a name of this process's own.
std::string FreshName(const std::string& path) { return absl::StrCat(path, ".", getpid(), ".new"); }

int OpenFresh(const std::string& name, bool secret) {
  unlink(name.c_str());
  return open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0644);
}

// 0, or the error.
int WriteAll(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t wrote = write(fd, text.data() + at, text.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return wrote < 0 ? errno : EIO;
    at += static_cast<size_t>(wrote);
  }
  return 0;
}

int Replace(const std::string& path, const std::string& text, bool secret) {
  const std::string fresh = FreshName(path);
  const int fd = OpenFresh(fresh, secret);
  if (fd < 0) return errno;
  int error = WriteAll(fd, text);
  if (close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && rename(fresh.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) unlink(fresh.c_str());
  return error;
}

// A FIFO that nobody reads is an error (ENXIO): waiting for a reader could take for ever.
int WriteThrough(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno;
  int error = fcntl(fd, F_SETFL, 0) == 0 ? WriteAll(fd, text) : errno;
  if (close(fd) != 0 && error == 0) error = errno;
  return error;
}

}  // namespace

bool IsStdout(const std::string& path) { return DescriptorOf(path) == STDOUT_FILENO; }

absl::Status WriteFile(const std::string& path, const std::string& text, bool secret) {
  int error = 0;
  if (const int fd = DescriptorOf(path); fd >= 0) {
    std::fflush(stdout);  // what was printed before comes first
    error = WriteAll(fd, text);
  } else {
    const Place place = Find(path);
    error = place.error != 0 ? place.error
            : place.replaced ? Replace(place.path, text, secret)
                             : WriteThrough(place.path, text);
  }
  return error == 0 ? absl::OkStatus() : CannotWrite(path, error);
}

absl::Status CheckWritable(const std::string& path) {
  if (const int fd = DescriptorOf(path); fd >= 0) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return CannotWrite(path, errno);
    return (flags & O_ACCMODE) == O_RDONLY ? CannotWrite(path, EBADF) : absl::OkStatus();
  }
  const Place place = Find(path);
  if (place.error != 0) return CannotWrite(path, place.error);
  if (!place.replaced) {
    // Not opened: to close a FIFO again would be the end for who reads it.
    return access(path.c_str(), W_OK) == 0 ? absl::OkStatus() : CannotWrite(path, errno);
  }
  const std::string fresh = FreshName(place.path);
  const int fd = OpenFresh(fresh, /*secret=*/true);
  if (fd < 0) return CannotWrite(path, errno);
  close(fd);
  unlink(fresh.c_str());
  return absl::OkStatus();
}

}  // namespace portcullis::bench
