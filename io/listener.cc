#include "io/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "io/check.h"

namespace portcullis::io {
namespace {

// A close's cancel that finds nothing is repeated this often.
constexpr uint8_t kMaxCloseCancels = 4;

// Owns a descriptor until released: set-up paths with many exits.
class ScopedFd {
 public:
  explicit ScopedFd(int fd) : fd_(fd) {}
  ~ScopedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  ScopedFd(const ScopedFd&) = delete;
  ScopedFd& operator=(const ScopedFd&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

absl::Status ListenFailure(const SocketAddress& address, const char* step, int error) {
  const std::string what =
      absl::StrCat("cannot listen on ", address.ToString(), ": ", step, ": ", std::strerror(error));
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(absl::StrCat(
          what,
          ". Something else listens there: stop it (ss -ltnp shows it) or choose another port"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          what, ". Ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE"));
    case EADDRNOTAVAIL:
      return absl::FailedPreconditionError(
          absl::StrCat(what, ". No interface of this machine has that address"));
    case EAFNOSUPPORT:
      return absl::FailedPreconditionError(
          absl::StrCat(what, ". This machine has no such protocol: IPv6 is switched off"));
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(absl::StrCat(what, ". Raise the limit of open files"));
    default:
      return absl::InternalError(what);
  }
}

int SetOption(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : errno;
}

// Makes a socket bound to `address`. Without `reuse_port`, a port that anyone listens on is
// refused.
absl::StatusOr<int> OpenBound(const SocketAddress& address, bool reuse_port, bool v6_only) {
  if (!address.is_ip()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on ", address.ToString(), ": not an IP address"));
  }
  ScopedFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
  if (fd.get() < 0) return ListenFailure(address, "socket", errno);
  // SO_REUSEADDR only lets us pass over connections of an earlier run in TIME_WAIT.
  int error = SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (error == 0 && reuse_port) error = SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (error == 0 && address.family() == AF_INET6) {
    error = SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, v6_only ? 1 : 0);
  }
  if (error != 0) return ListenFailure(address, "setsockopt", error);
  if (::bind(fd.get(), address.data(), address.length()) != 0) {
    return ListenFailure(address, "bind", errno);
  }
  return fd.Release();
}

}  // namespace

absl::StatusOr<int> OpenListener(const SocketAddress& address, const ListenOptions& options) {
  absl::StatusOr<int> bound = OpenBound(address, options.reuse_port, options.v6_only);
  if (!bound.ok()) return bound.status();
  ScopedFd fd(*bound);
  if (options.tcp_nodelay) {
    const int error = SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (error != 0) return ListenFailure(address, "TCP_NODELAY", error);
  }
  if (::listen(fd.get(), options.backlog) != 0) return ListenFailure(address, "listen", errno);
  return fd.Release();
}

absl::StatusOr<std::vector<int>> OpenListeners(const SocketAddress& address, int count,
                                               const ListenOptions& options) {
  CHECK(count >= 1);
  SocketAddress bound = address;
  if (bound.port() != 0) {
    if (absl::Status free = CheckPortFree(bound, options.v6_only); !free.ok()) return free;
  }
  ListenOptions shared = options;
  shared.reuse_port = true;
  std::vector<int> listeners;
  for (int i = 0; i < count; ++i) {
    absl::StatusOr<int> listener = OpenListener(bound, shared);
    if (!listener.ok()) {
      for (const int fd : listeners) ::close(fd);
      return listener.status();
    }
    listeners.push_back(*listener);
    bound.set_port(BoundPort(*listener));
  }
  return listeners;
}

absl::Status CheckPortFree(const SocketAddress& address, bool v6_only) {
  if (address.is_ip() && address.port() == 0) return absl::OkStatus();
  absl::StatusOr<int> bound = OpenBound(address, /*reuse_port=*/false, v6_only);
  if (!bound.ok()) return bound.status();
  ::close(*bound);
  return absl::OkStatus();
}

void TurnAway(int fd, std::span<const uint8_t> last_words) {
  constexpr size_t kMost = size_t{1} << 20;  // more than is queued on a new socket
  static_cast<void>(::send(fd, last_words.data(), last_words.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  static_cast<void>(::recv(fd, nullptr, kMost, MSG_TRUNC | MSG_DONTWAIT));
  ::close(fd);
}

uint16_t BoundPort(int fd) { return LocalOf(fd).port(); }

Acceptor::~Acceptor() {
  CHECK(fd_ < 0 && inflight_ == 0, "an acceptor was destroyed under the kernel");
}

void Acceptor::Open(int fd, Token identity) {
  CHECK(fd_ < 0 && inflight_ == 0, "an acceptor was opened twice");
  CHECK(fd >= 0);
  fd_ = fd;
  identity_ = identity;
}

uint64_t Acceptor::UserData(Op op) const {
  Token token = identity_;
  token.op = op;
  return token.Encode();
}

void Acceptor::Arm(Ring& ring) {
  CHECK(open());
  if (armed_ || paused_ || closing_) return;
  io_uring_sqe* sqe = ring.GetSqe();
  // No address asked for: one buffer would be overwritten by every accept of the multishot.
  io_uring_prep_multishot_accept(sqe, fd_, nullptr, nullptr, SOCK_CLOEXEC);
  sqe->user_data = UserData(Op::kAccept);
  armed_ = true;
  ++inflight_;
}

void Acceptor::CancelAccept(Ring& ring) {
  io_uring_sqe* sqe = ring.GetSqe();
  io_uring_prep_cancel64(sqe, UserData(Op::kAccept), 0);
  sqe->user_data = UserData(Op::kCancel);
  cancel_missed_ = false;
  ++inflight_;
}

AcceptEvent Acceptor::OnAccept(Ring& ring, const Cqe& cqe) {
  CHECK(armed_ && inflight_ > 0, "an accept completed that was not armed");
  if (!cqe.more()) {
    armed_ = false;
    cancel_missed_ = false;
    --inflight_;
  }
  if (cqe.res < 0) return OnFailure(ring, -cqe.res);
  if (cancel_missed_) CancelAccept(ring);
  Arm(ring);  // does nothing unless the kernel ended the multishot
  return {.kind = AcceptEvent::Kind::kAccepted, .fd = cqe.res};
}

AcceptEvent Acceptor::OnFailure(Ring& ring, int error) {
  switch (error) {
    case ECANCELED:
    case ECONNABORTED:
    case EPROTO:
    case EINTR:
      // Ours, or that connection's own affair; each consumes what caused it.
      Arm(ring);
      return {};
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
      return {.kind = AcceptEvent::Kind::kError, .error = error};
    default:
      // EMFILE, ENFILE, ENOBUFS, ENOMEM, and whatever the network reports: at once it would only
      // fail again.
      if (paused_ || closing_) return {};
      return {.kind = AcceptEvent::Kind::kRearmLater, .error = error};
  }
}

void Acceptor::OnCancel(Ring& ring, const Cqe& cqe) {
  CHECK(inflight_ > 0, "a cancel completed twice");
  --inflight_;
  if (cqe.res >= 0 || !armed_) return;
  // It found nothing although the accept is armed (or is the late answer to an earlier pause: then
  // one more cancel does no harm). A pause tries again when the next connection comes, a close
  // cannot wait for one.
  if (closing_) {
    if (close_cancels_++ < kMaxCloseCancels) CancelAccept(ring);
  } else if (paused_) {
    cancel_missed_ = true;
  }
}

void Acceptor::Pause(Ring& ring) {
  CHECK(open());
  if (paused_ || closing_) return;
  paused_ = true;
  if (armed_) CancelAccept(ring);
}

void Acceptor::Resume(Ring& ring) {
  if (!paused_ || closing_) return;
  paused_ = false;
  cancel_missed_ = false;
  Arm(ring);  // while the cancel is on its way, its last completion does
}

void Acceptor::BeginClose(Ring& ring) {
  if (!open() || closing_) return;
  closing_ = true;
  if (armed_) CancelAccept(ring);
}

int Acceptor::TakeBacklog() {
  CHECK(releasable());
  const int flags = ::fcntl(fd_, F_GETFL);
  static_cast<void>(::fcntl(fd_, F_SETFL, flags | O_NONBLOCK));
  int fd = -1;
  do {
    fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
  return fd;
}

void Acceptor::Close() {
  CHECK(releasable(), "a listener was closed while its accept flies");
  ::close(fd_);
  fd_ = -1;
  paused_ = closing_ = cancel_missed_ = false;
  close_cancels_ = 0;
}

}  // namespace portcullis::io
