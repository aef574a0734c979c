// Stream: one connected socket on a worker's ring: multishot receive with pause and resume, an
// output chain with one send in flight, half-close, and the one lifetime rule.
//
// Lifetime rule: `inflight()` counts operations whose final completion has not been seen.
// BeginClose() may be called from any path, once or many times; it arms nothing new and cancels
// what flies. Only when closing() && inflight() == 0 may the owner call Release(), which closes the
// descriptor; nothing else does. Output blocks and every operand that the kernel reads live in the
// Stream until then, so a Stream must not move while open.
//
// Owned by a slot of a worker's slab; that worker's thread only. Knows nothing of TLS, HTTP or
// timers. It makes no callbacks: the dispatcher hands it completions and acts on the events it
// returns.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/buffer_ring.h"
#include "io/intrusive_list.h"
#include "io/output_chain.h"
#include "io/ring.h"
#include "io/socket_address.h"
#include "io/token.h"

namespace portcullis::io {

// Counted over all streams of one worker.
struct StreamCounters {
  uint64_t recv_enobufs = 0;     // receives ended because the buffer group was empty
  uint64_t recv_pauses = 0;      // back-pressure pauses
  uint64_t cancel_misses = 0;    // a pause's cancel found nothing though the receive was armed
  uint64_t held_bytes_peak = 0;  // most bytes one paused stream had to copy out
};

struct RearmNode : ListNode {};

// What the streams of one kind on one worker share. Outlives them.
struct StreamEnv {
  Ring& ring;
  BufferRing& buffers;  // the group that receives of this kind use
  BlockPool& blocks;
  IntrusiveList& rearm;  // streams whose receive starved; re-armed by RearmStarved()
  StreamCounters& counters;
};

enum class [[nodiscard]] RecvEvent : uint8_t {
  kNothing,  // a pause took effect, a cancel, a late completion while closing: nothing to do
  kData,     // data() holds bytes: valid until the BufferLease of this completion ends
  kHeld,  // bytes (or, behind them, EOF) came in while paused: see TakeHeld() and then eof(), after
          // Resume()
  kEof,   // the peer has shut down its writing side
  kError,  // error() says which errno
};

enum class [[nodiscard]] SendEvent : uint8_t {
  kNothing,  // closing
  kPartial,  // progress; the next send has been queued already
  kDrained,  // the chain is empty
  kError,    // error(); the chain is useless from here
};

class Stream : public RearmNode {
 public:
  Stream() = default;
  ~Stream();  // CHECKs that it is released
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Open adopts a connected (or, before Connect, an unconnected non-blocking) descriptor.
  // `identity` carries owner, slot and generation; its op is ignored.
  void Open(int fd, Token identity);

  // Connect queues a connect to `address`, which is copied into the stream. Completion comes as
  // Op::kConnect, to be given to OnConnect, which returns 0 or an errno (ECANCELED after
  // BeginClose).
  void Connect(StreamEnv& env, const sockaddr* address, socklen_t length);
  [[nodiscard]] int OnConnect(const Cqe& cqe);

  // UseOneshotRecv makes every further receive take one buffer at most, re-armed after each. A
  // multishot receive can take 32 buffers in one pass of the kernel's before a pause has a chance:
  // right for a client's small messages, half a mebibyte too much from a backend whose client reads
  // slowly. A stream that was paused once goes over to it.
  void UseOneshotRecv() { oneshot_ = true; }

  // StartRecv arms the multishot receive (idempotent; does nothing after EOF or while closing).
  void StartRecv(StreamEnv& env);

  // OnRecv takes an Op::kRecv completion. `bytes` is what the lease of this completion covers
  // (empty if none). Re-arms by itself when the kernel ended the multishot with data, and queues
  // itself on env.rearm on ENOBUFS.
  RecvEvent OnRecv(StreamEnv& env, const Cqe& cqe, std::span<const uint8_t> bytes);
  [[nodiscard]] std::span<const uint8_t> data() const { return data_; }

  // Pause and Resume count causes: receiving stops while the count is above zero. Bytes completed
  // in between are copied to a heap chunk. After Resume brings the count to zero the caller must
  // first consume TakeHeld().
  void Pause(StreamEnv& env);
  void Resume(StreamEnv& env);
  [[nodiscard]] bool paused() const { return pauses_ > 0; }
  [[nodiscard]] std::vector<uint8_t> TakeHeld();
  [[nodiscard]] bool has_held() const { return !held_.empty(); }
  // Hold keeps bytes the caller could not consume (it must be paused); they come first in
  // TakeHeld().
  void Hold(std::span<const uint8_t> bytes);
  // EOF that arrived while bytes are held: reported here so the owner handles it after TakeHeld().
  [[nodiscard]] bool eof() const { return eof_; }

  // output is where the owner appends; Flush queues a send unless one is in flight or there is
  // nothing to send.
  [[nodiscard]] OutputChain& output() { return output_; }
  void Flush(StreamEnv& env);
  SendEvent OnSend(StreamEnv& env, const Cqe& cqe);
  [[nodiscard]] bool send_in_flight() const { return send_in_flight_; }
  // ShutdownWriteWhenDrained sends FIN once the chain is empty (at once if it is).
  void ShutdownWriteWhenDrained();
  [[nodiscard]] bool write_shut() const { return write_shut_; }

  // OnCancel takes an Op::kCancel completion. A cancel can miss an operation that is armed all the
  // same: a pause tries again when the next bytes arrive, a close at once (a bounded number of
  // times).
  void OnCancel(StreamEnv& env, const Cqe& cqe);

  void BeginClose(StreamEnv& env);
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] uint32_t inflight() const { return inflight_; }
  [[nodiscard]] bool releasable() const { return closing_ && inflight_ == 0; }
  // Release closes the descriptor, returns blocks and resets the object for the next Open. `abort`
  // makes the kernel send RST (SO_LINGER 0): for truncated responses, so that a client never sees a
  // clean end.
  void Release(StreamEnv& env, bool abort);

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] uint64_t bytes_received() const { return bytes_received_; }
  [[nodiscard]] uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  enum class Recv : uint8_t { kIdle, kArmed, kPausing, kStarved };

  friend void RearmStarved(StreamEnv& env);

  void ArmRecv(StreamEnv& env);
  void CancelRecv(StreamEnv& env);
  // Whether more is in flight than cancels, which end by themselves.
  [[nodiscard]] bool HasVictims() const;
  void CancelAll(StreamEnv& env);
  void ShutdownWrite();
  void Disconnect();
  [[nodiscard]] RecvEvent OnBytes(StreamEnv& env, std::span<const uint8_t> bytes);
  [[nodiscard]] RecvEvent OnRecvError(StreamEnv& env, int error);
  void QueueSend(StreamEnv& env);
  [[nodiscard]] uint64_t UserData(Op op) const;

  Token identity_;
  int fd_ = -1;
  int error_ = 0;
  uint32_t inflight_ = 0;
  uint16_t pauses_ = 0;
  Recv recv_ = Recv::kIdle;
  bool oneshot_ = false;
  bool recv_wanted_ = false;
  bool eof_ = false;
  bool closing_ = false;
  bool send_in_flight_ = false;
  bool shut_when_drained_ = false;
  bool write_shut_ = false;
  bool cancel_missed_ =
      false;  // ... or was answered with "no such operation" while the receive is armed
  bool connecting_ = false;
  bool served_ = false;             // bytes came since the receive was armed
  bool cancels_recv_only_ = false;  // the close's last cancel
  uint8_t close_cancels_ = 0;
  std::span<const uint8_t> data_;
  std::vector<uint8_t> held_;
  OutputChain output_;
  std::unique_ptr<SendOperands> operands_;  // that the kernel reads; only while pieces are many
  std::unique_ptr<sockaddr_storage> connect_address_;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
};

// Twice in every client's connection, here and in its backend's.
static_assert(sizeof(Stream) <= 160, "a slot holds a stream, and is to stay within 512 bytes");

// OpenStreamSocket makes a socket for Stream::Connect to `address`; -1 with errno set when there is
// none to be had.
[[nodiscard]] int OpenStreamSocket(const SocketAddress& address);

// RearmStarved re-arms starved streams while at least a quarter of the group's buffers is free:
// those first that got nothing in their last round, each kind oldest first. Call once at the end of
// a turn.
void RearmStarved(StreamEnv& env);

}  // namespace portcullis::io
