#include "io/script_ops.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

namespace portcullis::io {
namespace {

using Kind = ScriptOutcome::Kind;

constexpr size_t kMaxPieces = 64;

ScriptOutcome Done(ssize_t res) { return {.kind = Kind::kDone, .res = static_cast<int32_t>(res)}; }
ScriptOutcome Failed(int error) { return Done(-error); }

template <typename T>
T* Pointer(uint64_t address) {
  // The kernel's interface has addresses as numbers.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

// A blocking descriptor must not block the ring.
bool Ready(const ScriptOp& op) {
  pollfd entry{.fd = op.fd, .events = op.events(), .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

ScriptOutcome Accept(ScriptOp& op) {
  if (!Ready(op)) return {};
  const int fd = ::accept4(op.fd, Pointer<sockaddr>(op.sqe.addr), Pointer<socklen_t>(op.sqe.addr2),
                           static_cast<int>(op.sqe.accept_flags));
  if (fd < 0) return errno == EAGAIN ? ScriptOutcome{} : Failed(errno);
  return {.kind = op.multishot() ? Kind::kMore : Kind::kDone, .res = fd};
}

ScriptOutcome Receive(ScriptOp& op, ScriptGroup* group, size_t max_bytes) {
  if ((op.sqe.flags & IOSQE_BUFFER_SELECT) == 0) return Failed(EINVAL);
  // Like the kernel: a buffer is picked before the socket is looked at.
  if (group == nullptr || group->available() == 0) return Failed(ENOBUFS);
  const io_uring_buf& buffer = group->entries[group->head & group->mask];
  const size_t room = max_bytes == 0 ? buffer.len : std::min<size_t>(buffer.len, max_bytes);
  // Not by the C library: a sanitizer would see a write into memory that is the kernel's, which is
  // the point.
  const long length =
      ::syscall(SYS_recvfrom, op.fd, Pointer<void>(buffer.addr), room,
                static_cast<int>(op.sqe.msg_flags) | MSG_DONTWAIT, nullptr, nullptr);
  if (length < 0) return errno == EAGAIN ? ScriptOutcome{} : Failed(errno);
  // The kernel may say "more to read" at the end of a stream; nobody may loop on that bit.
  if (length == 0) return {.kind = Kind::kDone, .res = 0, .flags = IORING_CQE_F_SOCK_NONEMPTY};
  ++group->head;
  const auto id = static_cast<uint32_t>(buffer.bid);
  return {.kind = op.multishot() ? Kind::kMore : Kind::kDone,
          .res = static_cast<int32_t>(length),
          .flags = id << IORING_CQE_BUFFER_SHIFT | IORING_CQE_F_BUFFER};
}

// Fills `pieces` with what is left of a send, at most `max_bytes`. Returns their number.
size_t Remaining(const ScriptOp& op, size_t max_bytes, std::array<iovec, kMaxPieces>& pieces) {
  iovec whole{.iov_base = Pointer<void>(op.sqe.addr), .iov_len = op.sqe.len};
  const iovec* from = &whole;
  size_t count = 1;
  if (op.sqe.opcode == IORING_OP_SENDMSG) {
    from = Pointer<msghdr>(op.sqe.addr)->msg_iov;
    count = Pointer<msghdr>(op.sqe.addr)->msg_iovlen;
  }
  size_t skip = op.done;
  size_t left = max_bytes == 0 ? SIZE_MAX : max_bytes;
  size_t used = 0;
  for (size_t i = 0; i < count && used < kMaxPieces && left > 0; ++i) {
    const size_t passed = std::min(skip, from[i].iov_len);
    skip -= passed;
    const size_t length = std::min(from[i].iov_len - passed, left);
    if (length == 0) continue;
    pieces[used++] = {.iov_base = static_cast<uint8_t*>(from[i].iov_base) + passed,
                      .iov_len = length};
    left -= length;
  }
  return used;
}

ScriptOutcome Send(ScriptOp& op, size_t max_bytes) {
  const int flags = static_cast<int>(op.sqe.msg_flags);
  while (true) {
    std::array<iovec, kMaxPieces> pieces{};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = Remaining(op, max_bytes, pieces);
    if (message.msg_iovlen == 0) return Done(static_cast<ssize_t>(op.done));
    const ssize_t sent = ::sendmsg(op.fd, &message, flags | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) return {};
    if (sent < 0) return op.done > 0 ? Done(static_cast<ssize_t>(op.done)) : Failed(errno);
    op.done += static_cast<size_t>(sent);
    if ((flags & MSG_WAITALL) == 0 || max_bytes != 0) return Done(static_cast<ssize_t>(op.done));
  }
}

ScriptOutcome Connect(ScriptOp& op) {
  if (op.connecting) {
    if (!Ready(op)) return {};
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(op.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    return Failed(error);
  }
  const int flags = ::fcntl(op.fd, F_GETFL);
  static_cast<void>(::fcntl(op.fd, F_SETFL, flags | O_NONBLOCK));
  const int result =
      ::connect(op.fd, Pointer<sockaddr>(op.sqe.addr), static_cast<socklen_t>(op.sqe.off));
  const int error = result == 0 ? 0 : errno;
  static_cast<void>(::fcntl(op.fd, F_SETFL, flags));
  if (error != EINPROGRESS) return Failed(error);
  op.connecting = true;
  return {};
}

ScriptOutcome Read(ScriptOp& op) {
  if (!Ready(op)) return {};
  const ssize_t length = ::read(op.fd, Pointer<void>(op.sqe.addr), op.sqe.len);
  return length < 0 ? Failed(errno) : Done(length);
}

}  // namespace

uint16_t ScriptGroup::available() const {
  // Entry 0's spare field is the tail, as in the kernel's ABI.
  const uint16_t tail = std::atomic_ref<uint16_t>(entries[0].resv).load(std::memory_order_acquire);
  return static_cast<uint16_t>(tail - head);
}

bool ScriptOp::multishot() const {
  if (sqe.opcode == IORING_OP_ACCEPT) return (sqe.ioprio & IORING_ACCEPT_MULTISHOT) != 0;
  if (sqe.opcode == IORING_OP_RECV) return (sqe.ioprio & IORING_RECV_MULTISHOT) != 0;
  return false;
}

short ScriptOp::events() const {
  const bool writes = sqe.opcode == IORING_OP_SEND || sqe.opcode == IORING_OP_SENDMSG ||
                      sqe.opcode == IORING_OP_CONNECT;
  return writes ? POLLOUT : POLLIN;
}

ScriptOutcome Attempt(ScriptOp& op, ScriptGroup* group, size_t max_bytes) {
  switch (op.sqe.opcode) {
    case IORING_OP_NOP:
      return Done(0);
    case IORING_OP_ACCEPT:
      return Accept(op);
    case IORING_OP_RECV:
      return Receive(op, group, max_bytes);
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
      return Send(op, max_bytes);
    case IORING_OP_CONNECT:
      return Connect(op);
    case IORING_OP_READ:
      return Read(op);
    default:
      return Failed(EINVAL);
  }
}

}  // namespace portcullis::io
