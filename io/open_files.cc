#include "io/open_files.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace portcullis::io {
namespace {

uint64_t FromKernel(rlim_t value) { return value == RLIM_INFINITY ? UINT64_MAX : uint64_t{value}; }

}  // namespace

OpenFileLimit ReadOpenFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  return {.soft = FromKernel(limit.rlim_cur), .hard = FromKernel(limit.rlim_max)};
}

OpenFileLimit RaiseOpenFileLimit(uint64_t wanted) {
  const OpenFileLimit now = ReadOpenFileLimit();
  const uint64_t soft = std::min(wanted, now.hard);
  if (soft <= now.soft) return now;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return now;
  limit.rlim_cur = soft == UINT64_MAX ? RLIM_INFINITY : static_cast<rlim_t>(soft);
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
  return ReadOpenFileLimit();
}

void ReserveOpenFiles(uint64_t wanted) {
  const uint64_t count = std::min({wanted, ReadOpenFileLimit().soft, uint64_t{INT_MAX}});
  if (count == 0) return;
  const int any = ::eventfd(0, EFD_CLOEXEC);
  if (any < 0) return;
  // The table grows to hold the number, and does not shrink again.
  const int last = ::fcntl(any, F_DUPFD_CLOEXEC, static_cast<int>(count - 1));
  if (last >= 0) ::close(last);
  ::close(any);
}

}  // namespace portcullis::io
