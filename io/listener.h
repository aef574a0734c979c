// Listener: sockets that accept connections, one for each worker on one port, and the multishot
// accept on a ring.
//
// Opening is set-up code, before workers run. An Acceptor belongs to one worker and its thread; it
// owns its socket from Open to Close. It re-arms itself where that is safe at once, and tells its
// owner where only waiting helps.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "io/ring.h"
#include "io/socket_address.h"
#include "io/token.h"

namespace portcullis::io {

struct ListenOptions {
  int backlog = 4096;  // the kernel caps it at net.core.somaxconn
  bool reuse_port =
      true;  // several sockets share the port; the kernel spreads connections over them
  bool tcp_nodelay = true;  // set on the listener: accepted sockets inherit it
  bool v6_only = false;     // an IPv6 listener refuses IPv4 clients
};

// OpenListener binds and listens on an IP `address` (port 0: any free port) and returns the
// descriptor. Connections queue from here on. Errors name the address and what to do.
absl::StatusOr<int> OpenListener(const SocketAddress& address, const ListenOptions& options);

// OpenListeners opens `count` (>= 1) listeners on one port: SO_REUSEPORT is set, port 0 is chosen
// once, and a port that another process holds is refused. On error nothing stays open.
absl::StatusOr<std::vector<int>> OpenListeners(const SocketAddress& address, int count,
                                               const ListenOptions& options);

// CheckPortFree refuses a port that anyone listens on. SO_REUSEPORT alone would join another
// process of the same user silently, and each would get a share of the connections.
absl::Status CheckPortFree(const SocketAddress& address, bool v6_only = false);

// TurnAway closes an accepted socket that there is no room for, without waiting for anyone: it
// sends `last_words` (a few bytes, which a new socket's buffer takes) and discards what has come
// in, so that closing is no reset, which would overtake them. Bytes that come later do cause one.
void TurnAway(int fd, std::span<const uint8_t> last_words);

// BoundPort is the local port of a socket, host order; 0 when it has none.
[[nodiscard]] uint16_t BoundPort(int fd);

struct AcceptEvent {
  enum class Kind : uint8_t {
    kNothing,     // a pause took effect, or an accept failed for its own peer only
    kAccepted,    // `fd` is a new connection, the caller's to close; also while pausing or closing
    kRearmLater,  // out of descriptors or memory (`error`): call Arm() again in about 100 ms
    kError,       // the listener is broken (`error`)
  };
  Kind kind = Kind::kNothing;
  int fd = -1;
  int error = 0;
};

class Acceptor {
 public:
  Acceptor() = default;
  ~Acceptor();  // CHECKs that it is closed
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Open adopts a listening descriptor. `identity` carries owner, slot and generation; its op is
  // ignored.
  void Open(int fd, Token identity);

  // Arm queues the multishot accept; does nothing when armed, paused or closing.
  void Arm(Ring& ring);

  // OnAccept takes an Op::kAccept completion; OnCancel an Op::kCancel one with this identity.
  [[nodiscard]] AcceptEvent OnAccept(Ring& ring, const Cqe& cqe);
  void OnCancel(Ring& ring, const Cqe& cqe);

  // Pause stops accepting (the kernel's backlog queues); Resume starts again. Not counted: the last
  // call decides.
  void Pause(Ring& ring);
  void Resume(Ring& ring);
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] bool armed() const { return armed_; }

  // BeginClose cancels the accept, once or many times called. Close closes the descriptor and may
  // be called when releasable(). Before it, TakeBacklog() returns the connections still queued, one
  // a call, then -1: closing the socket would reset them.
  void BeginClose(Ring& ring);
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] uint32_t inflight() const { return inflight_; }
  [[nodiscard]] bool releasable() const { return closing_ && inflight_ == 0; }
  [[nodiscard]] int TakeBacklog();
  void Close();

  [[nodiscard]] int fd() const { return fd_; }

 private:
  void CancelAccept(Ring& ring);
  [[nodiscard]] AcceptEvent OnFailure(Ring& ring, int error);
  [[nodiscard]] uint64_t UserData(Op op) const;

  Token identity_;
  int fd_ = -1;
  uint32_t inflight_ = 0;
  bool armed_ = false;
  bool paused_ = false;
  bool closing_ = false;
  bool cancel_missed_ = false;  // a pause's cancel found nothing although the accept is armed
  uint8_t close_cancels_ = 0;
};

}  // namespace portcullis::io
