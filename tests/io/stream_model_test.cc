// A model of two streams talking to each other over a socket while the ring injects faults:
// whatever happens, bytes arrive whole and in order, and nothing stays in flight. Seeds are printed
// on failure.
#include <random>
#include <string>

#include "tests/io/stream_rig.h"

namespace portcullis::io {
namespace {

constexpr int kSteps = 120;

class Model {
 public:
  Model(Ring& ring, uint64_t seed)
      : random_(seed),
        rig_(ring, static_cast<uint16_t>(1 << (1 + random_() % 5)), 64 + Below(1000)) {
    TcpPair pair = MakeTcpPair();
    near_.record = &rig_.Open(std::move(pair.near));
    far_.record = &rig_.Open(std::move(pair.far));
    for (Side* side : {&near_, &far_}) {
      StreamRecord& record = *side->record;
      record.consume = [this, &record](std::span<const uint8_t> data) {
        if (Below(8) != 0) return data.size();
        record.stream.Pause(rig_.env());
        return static_cast<size_t>(Below(static_cast<uint32_t>(data.size()) + 1));
      };
      record.stream.StartRecv(rig_.env());
    }
  }

  void Run() {
    for (int i = 0; i < kSteps; ++i) {
      Step(Below(2) == 0 ? near_ : far_);
      CheckOrder();
    }
    Finish();
  }

  // Ends both in whatever state they are.
  void Abandon() {
    for (int i = 0; i < kSteps / 4; ++i) Step(Below(2) == 0 ? near_ : far_);
    near_.record->stream.BeginClose(rig_.env());
    for (uint32_t i = Below(4); i > 0; --i) rig_.Turn(std::chrono::nanoseconds::zero());
  }

 private:
  struct Side {
    StreamRecord* record = nullptr;
    std::string sent;
    size_t checked = 0;  // bytes received and compared
  };

  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }

  void Step(Side& side) {
    Stream& stream = side.record->stream;
    switch (Below(6)) {
      case 0:
      case 1: {
        std::string text(1 + Below(Below(4) == 0 ? 60000 : 300), '\0');
        for (char& c : text) c = static_cast<char>('a' + random_() % 26);
        side.sent += text;
        rig_.Send(*side.record, text);
        break;
      }
      case 2:
        stream.Pause(rig_.env());
        break;
      case 3:
        if (stream.paused()) rig_.Resume(*side.record);
        break;
      default:
        rig_.Turn(std::chrono::nanoseconds::zero());
    }
  }

  void CheckOrder() {
    ASSERT_EQ(near_.record->recv_error, 0);
    ASSERT_EQ(near_.record->send_error, 0);
    CheckPrefix(near_, far_.sent);
    CheckPrefix(far_, near_.sent);
  }

  // What `side` received since the last look is what was sent at that place.
  static void CheckPrefix(Side& side, const std::string& sent) {
    const std::string_view received = side.record->received;
    ASSERT_LE(received.size(), sent.size());
    const std::string_view fresh = received.substr(side.checked);
    ASSERT_EQ(fresh, std::string_view(sent).substr(side.checked, fresh.size()));
    side.checked = received.size();
  }

  void Finish() {
    near_.record->stream.ShutdownWriteWhenDrained();
    far_.record->stream.ShutdownWriteWhenDrained();
    const bool done = rig_.RunUntil([&] {
      for (Side* side : {&near_, &far_}) {
        while (side->record->stream.paused()) rig_.Resume(*side->record);
      }
      // A cancel that a pause queued may still be unanswered behind the end.
      return near_.record->eof && far_.record->eof && near_.record->stream.inflight() == 0 &&
             far_.record->stream.inflight() == 0;
    });
    ASSERT_TRUE(done);
    ASSERT_EQ(near_.record->received, far_.sent);
    ASSERT_EQ(far_.record->received, near_.sent);
    ASSERT_EQ(near_.record->stream.bytes_sent(), near_.sent.size());
  }

  std::mt19937_64 random_;
  StreamRig rig_;
  Side near_;
  Side far_;
};

ScriptFaults DrawFaults(std::mt19937_64& random) {
  const auto chance = [&random]() -> unsigned {
    constexpr unsigned kChances[] = {0, 0, 5, 30};
    return kChances[random() % 4];
  };
  ScriptFaults faults;
  faults.short_send = chance();
  faults.short_recv = chance();
  faults.lose_more = chance();
  faults.no_buffers = chance();
  faults.cancel_miss = chance();
  faults.late_victim = chance();
  faults.partial_cancel = chance();
  faults.cancel_order = static_cast<ScriptFaults::CancelOrder>(random() % 3);
  return faults;
}

TEST(StreamModel, BytesArriveWholeAndInOrderUnderFaults) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    ScriptRing ring(ScriptOptions{.seed = seed, .sq_entries = 4, .cq_entries = 16});
    ring.set_faults(DrawFaults(random));
    Model(ring, seed).Run();
    ASSERT_EQ(ring.pending(), 0U);
    if (HasFailure()) return;
  }
}

TEST(StreamModel, ClosingAtAnyPointLeavesNothingInFlight) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    ScriptRing ring(ScriptOptions{.seed = seed, .sq_entries = 4, .cq_entries = 16});
    ring.set_faults(DrawFaults(random));
    Model(ring, seed).Abandon();
    ASSERT_EQ(ring.pending(), 0U);
    if (HasFailure()) return;
  }
}

TEST(StreamModel, TheKernelsRingAgrees) {
  auto ring = UringRing::Create({.sq_entries = 16, .cq_entries = 32});
  ASSERT_TRUE(ring.ok()) << ring.status();
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model(**ring, seed).Run();
    Model(**ring, seed).Abandon();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace portcullis::io
