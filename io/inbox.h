// Inbox: how other threads hand a worker something: a lock-free stack of items and an eventfd that
// the worker's ring reads. Control plane only (snapshots, shutdown, metric requests); connections
// and bytes never cross workers.
//
// Push from any thread; everything else on the worker's thread. Push allocates a node, Drain frees
// it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"

#include "io/ring.h"
#include "io/token.h"

namespace portcullis::io {

// WakeEvent: an eventfd with one 8-byte read armed on a ring. Signal from any thread
// (async-signal-safe too); the rest on the ring's thread.
class WakeEvent {
 public:
  static absl::StatusOr<std::unique_ptr<WakeEvent>> Create();
  ~WakeEvent();  // CHECKs that nothing is in flight
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  void Signal();

  // Consume waits for a signal and takes all there are: for threads without a ring.
  void Consume();

  // Arm queues the read; its completion carries `identity` with Op::kWake. Does nothing when armed
  // or closing.
  void Arm(Ring& ring, Token identity);
  // OnWake takes the Op::kWake completion and arms the next read.
  void OnWake(Ring& ring, const Cqe& cqe);
  // BeginClose cancels the read; the Op::kCancel completion goes to OnCancel. Destroy when
  // inflight() is 0.
  void BeginClose(Ring& ring);
  void OnCancel(const Cqe& cqe);
  [[nodiscard]] uint32_t inflight() const { return inflight_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  explicit WakeEvent(int fd) : fd_(fd) {}

  int fd_;
  uint64_t value_ = 0;  // the kernel writes it
  Token identity_;
  uint32_t inflight_ = 0;
  bool armed_ = false;
  bool closing_ = false;
};

template <typename T>
class Inbox {
 public:
  static absl::StatusOr<std::unique_ptr<Inbox>> Create() {
    absl::StatusOr<std::unique_ptr<WakeEvent>> wake = WakeEvent::Create();
    if (!wake.ok()) return wake.status();
    return std::unique_ptr<Inbox>(new Inbox(*std::move(wake)));
  }
  ~Inbox() {
    Drain([](T&&) {});
  }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Push hands `item` over and wakes the worker. Any thread, while the inbox lives.
  void Push(T item) {
    Node* node = new Node{std::move(item), nullptr};
    Node* head = head_.load(std::memory_order_relaxed);
    do {
      node->next = head;
    } while (!head_.compare_exchange_weak(head, node, std::memory_order_release,
                                          std::memory_order_relaxed));
    // Whoever finds the stack empty signals; the worker takes the whole stack at once, so that
    // signal covers every push on top. `node` is not ours any more.
    if (head == nullptr) wake_->Signal();
  }

  // Drain calls `f(T&&)` with every item, oldest first. Returns their number.
  template <typename F>
  size_t Drain(F&& f) {
    Node* newest = head_.exchange(nullptr, std::memory_order_acquire);
    Node* oldest = nullptr;
    while (newest != nullptr) {
      Node* next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    size_t count = 0;
    while (oldest != nullptr) {
      std::unique_ptr<Node> node(oldest);
      oldest = node->next;
      f(std::move(node->item));
      ++count;
    }
    return count;
  }

  // The ring side; see WakeEvent. After OnWake, call Drain.
  void Arm(Ring& ring, Token identity) { wake_->Arm(ring, identity); }
  void OnWake(Ring& ring, const Cqe& cqe) { wake_->OnWake(ring, cqe); }
  void OnCancel(const Cqe& cqe) { wake_->OnCancel(cqe); }
  void BeginClose(Ring& ring) { wake_->BeginClose(ring); }
  [[nodiscard]] uint32_t inflight() const { return wake_->inflight(); }
  // wake lets a signal handler or a watcher thread wake the worker without an item.
  [[nodiscard]] WakeEvent& wake() { return *wake_; }

 private:
  struct Node {
    T item;
    Node* next;
  };

  explicit Inbox(std::unique_ptr<WakeEvent> wake) : wake_(std::move(wake)) {}

  std::atomic<Node*> head_{nullptr};
  std::unique_ptr<WakeEvent> wake_;
};

}  // namespace portcullis::io
