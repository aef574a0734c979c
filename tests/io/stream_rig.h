// StreamRig: a worker in miniature for tests of Stream: a ring, a buffer group, some streams, and a
// dispatcher that records what they report.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/stream.h"
#include "tests/io/ring_fixture.h"

namespace portcullis::io {

// `bytes` of text in which no part looks like another nearby.
inline std::string Pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('A' + (i * 7 + i / 251) % 53);
  return text;
}

// A stream and everything it has reported.
struct StreamRecord {
  Stream stream;
  uint32_t slot = 0;
  std::string received;  // consumed in order, held bytes included
  bool eof = false;
  int recv_error = 0;
  int send_error = 0;
  int drained = 0;
  int connect_result = -1;
  std::map<Op, int> completions;  // of each operation, final or not
  // Called on every kData instead of consuming all of it; returns how many bytes were consumed. The
  // rest is held, the stream must then be paused.
  std::function<size_t(std::span<const uint8_t>)> consume;
};

class StreamRig {
 public:
  StreamRig(Ring& ring, uint16_t buffers, uint32_t buffer_bytes)
      : buffers_(*BufferRing::Create(ring, 1, buffers, buffer_bytes)),
        env_{.ring = ring,
             .buffers = *buffers_,
             .blocks = blocks_,
             .rearm = rearm_,
             .counters = counters_} {}

  // Whatever is still open is closed and released: every test ends with the check that nothing
  // stays in flight.
  ~StreamRig() {
    for (auto& record : records_) CloseAndRelease(*record, /*abort=*/true);
    EXPECT_EQ(stale_, 0);
    EXPECT_EQ(blocks_.blocks_in_use(), 0U);
    EXPECT_EQ(buffers_->available(), buffers_->entries()) << "a buffer was not given back";
    EXPECT_TRUE(rearm_.empty());
  }

  StreamRecord& Open(Fd fd) {
    records_.push_back(std::make_unique<StreamRecord>());
    StreamRecord& record = *records_.back();
    record.slot = static_cast<uint32_t>(records_.size() - 1);
    record.stream.Open(fd.Release(),
                       {.owner = Owner::kDownstream, .generation = 1, .slot = record.slot});
    return record;
  }

  // Turn reaps one batch, dispatches it and re-arms starved streams.
  void Turn(std::chrono::nanoseconds timeout = kTick) {
    std::array<Cqe, 64> batch;
    const int count = env_.ring.SubmitAndReap(timeout, batch);
    ASSERT_GE(count, 0);
    for (int i = 0; i < count; ++i) Dispatch(batch[static_cast<size_t>(i)]);
    RearmStarved(env_);
  }

  // RunUntil takes turns until `done`. False: it gave up.
  [[nodiscard]] bool RunUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      Turn();
    }
    return true;
  }

  void CloseAndRelease(StreamRecord& record, bool abort) {
    if (!record.stream.open()) return;
    record.stream.BeginClose(env_);
    EXPECT_TRUE(RunUntil([&] { return record.stream.releasable(); }))
        << record.stream.inflight() << " operations never completed";
    if (record.stream.releasable()) record.stream.Release(env_, abort);
  }

  void Append(StreamRecord& record, std::string_view text) {
    record.stream.output().Append(blocks_,
                                  {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

  void Send(StreamRecord& record, std::string_view text) {
    Append(record, text);
    record.stream.Flush(env_);
  }

  // Resume also consumes what was held, as an owner must.
  void Resume(StreamRecord& record) {
    record.stream.Resume(env_);
    if (record.stream.paused()) return;
    const std::vector<uint8_t> held = record.stream.TakeHeld();
    record.received.append(held.begin(), held.end());
    if (record.stream.eof()) record.eof = true;
  }

  [[nodiscard]] StreamEnv& env() { return env_; }
  [[nodiscard]] BufferRing& buffers() { return *buffers_; }
  [[nodiscard]] BlockPool& blocks() { return blocks_; }
  [[nodiscard]] const StreamCounters& counters() const { return counters_; }

  void Dispatch(const Cqe& cqe) {
    const Token token = Token::Decode(cqe.user_data);
    const BufferLease lease(*buffers_, cqe);
    if (token.slot >= records_.size() || token.generation != 1) {
      ++stale_;
      return;
    }
    StreamRecord& record = *records_[token.slot];
    ++record.completions[token.op];
    switch (token.op) {
      case Op::kRecv:
        OnRecv(record, cqe, lease.bytes());
        break;
      case Op::kSend:
        OnSend(record, record.stream.OnSend(env_, cqe));
        break;
      case Op::kConnect:
        record.connect_result = record.stream.OnConnect(cqe);
        break;
      case Op::kCancel:
        record.stream.OnCancel(env_, cqe);
        break;
      default:
        ADD_FAILURE() << "unexpected operation";
    }
  }

 private:
  void OnRecv(StreamRecord& record, const Cqe& cqe, std::span<const uint8_t> bytes) {
    switch (record.stream.OnRecv(env_, cqe, bytes)) {
      case RecvEvent::kData: {
        std::span<const uint8_t> data = record.stream.data();
        size_t consumed = data.size();
        if (record.consume) consumed = record.consume(data);
        record.received.append(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(consumed));
        if (consumed < data.size()) record.stream.Hold(data.subspan(consumed));
        break;
      }
      case RecvEvent::kEof:
        record.eof = true;
        break;
      case RecvEvent::kError:
        record.recv_error = record.stream.error();
        break;
      case RecvEvent::kHeld:
        EXPECT_TRUE(record.stream.has_held());
        break;
      case RecvEvent::kNothing:
        break;
    }
  }

  static void OnSend(StreamRecord& record, SendEvent event) {
    if (event == SendEvent::kDrained) ++record.drained;
    if (event == SendEvent::kError) record.send_error = record.stream.error();
  }

  std::unique_ptr<BufferRing> buffers_;
  BlockPool blocks_{4};
  IntrusiveList rearm_;
  StreamCounters counters_;
  StreamEnv env_;
  std::vector<std::unique_ptr<StreamRecord>> records_;
  int stale_ = 0;
};

class StreamFixture : public RingFixture {
 protected:
  void SetUp() override {
    RingFixture::SetUp();
    if (ring_ != nullptr) MakeRig(64, 1024);
  }
  void TearDown() override { rig_.reset(); }
  void MakeRig(uint16_t buffers, uint32_t buffer_bytes) {
    rig_.reset();
    rig_ = std::make_unique<StreamRig>(ring(), buffers, buffer_bytes);
  }
  [[nodiscard]] StreamRig& rig() { return *rig_; }
  [[nodiscard]] StreamEnv& env() { return rig_->env(); }

  std::unique_ptr<StreamRig> rig_;
};

}  // namespace portcullis::io
