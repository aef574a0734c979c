#include "core/server/commands/embedded_backend.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"

#include "core/server/commands/text.h"
#include "io/check.h"
#include "io/listener.h"

namespace portcullis::server {
namespace {

constexpr int kBacklog = 1024;

// Whether a process listens on the Unix socket `address`.
bool Answers(const io::SocketAddress& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  const bool answers = connect(fd, address.data(), address.length()) == 0 || errno == EAGAIN;
  close(fd);
  return answers;
}

// Removes the socket that a dead process left at `address`, and nothing else.
absl::Status ClearPath(const io::SocketAddress& address) {
  const std::string path = address.Ip();
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0)
    return absl::OkStatus();  // bind says what is wrong, if anything
  if (!S_ISSOCK(found.st_mode)) {
    return absl::AlreadyExistsError(Cat(path, " exists and is no socket"));
  }
  if (Answers(address)) {
    return absl::AlreadyExistsError(Cat("another process listens on unix:", path));
  }
  if (unlink(path.c_str()) != 0) return absl::ErrnoToStatus(errno, path);
  return absl::OkStatus();
}

absl::StatusOr<int> ListenUnix(const io::SocketAddress& address) {
  if (absl::Status cleared = ClearPath(address); !cleared.ok()) return cleared;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "socket");
  if (bind(fd, address.data(), address.length()) != 0 || listen(fd, kBacklog) != 0) {
    const absl::Status status = absl::ErrnoToStatus(errno, address.ToString());
    close(fd);
    return status;
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedBackend>> EmbeddedBackend::Start(
    const EmbeddedBackendOptions& options) {
  const absl::StatusOr<io::SocketAddress> address = io::SocketAddress::Parse(options.listen);
  if (!address.ok()) return address.status();
  std::unique_ptr<EmbeddedBackend> backend(new EmbeddedBackend());
  if (absl::Status status = backend->Listen(*address); !status.ok()) return status;
  if (absl::Status status = backend->Run(options); !status.ok()) return status;
  return backend;
}

EmbeddedBackend::~EmbeddedBackend() { Stop(); }

absl::Status EmbeddedBackend::Listen(const io::SocketAddress& address) {
  io::ListenOptions options;
  options.backlog = kBacklog;
  options.reuse_port = false;
  const absl::StatusOr<int> fd =
      address.is_unix() ? ListenUnix(address) : io::OpenListener(address, options);
  if (!fd.ok()) return fd.status();
  listen_fd_ = *fd;
  io::SocketAddress bound = address;
  if (address.is_unix()) {
    unix_path_ = address.Ip();
  } else {
    port_ = io::BoundPort(listen_fd_);
    bound.set_port(port_);
  }
  address_ = bound.ToString();
  // Several loops are woken for one connection at times: whoever comes late must not block.
  const int flags = fcntl(listen_fd_, F_GETFL);
  if (flags < 0 || fcntl(listen_fd_, F_SETFL, flags | O_NONBLOCK) != 0) {
    return absl::ErrnoToStatus(errno, "fcntl");
  }
  return absl::OkStatus();
}

absl::Status EmbeddedBackend::Run(const EmbeddedBackendOptions& options) {
  stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_fd_ < 0) return absl::ErrnoToStatus(errno, "eventfd");
  for (int i = 0; i < std::max(1, options.num_threads); ++i) {
    auto loop = std::make_unique<SessionLoop>(listen_fd_, stop_fd_, options.mode);
    if (absl::Status status = loop->Open(); !status.ok()) return status;
    loops_.push_back(std::move(loop));
  }
  for (const auto& loop : loops_) {
    threads_.emplace_back([running = loop.get()] { running->Run(); });
  }
  return absl::OkStatus();
}

void EmbeddedBackend::Stop() {
  if (!threads_.empty()) {
    CHECK(eventfd_write(stop_fd_, 1) == 0, "eventfd");
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  loops_.clear();
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
  unix_path_.clear();
  for (int* fd : {&listen_fd_, &stop_fd_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

}  // namespace portcullis::server
