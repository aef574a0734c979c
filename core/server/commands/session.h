// Session: one client's conversation with the embedded backend as bytes in and bytes out; it knows
// no socket.
//
// Owned by a SessionLoop's connection and used on that loop's thread only. Output is pulled, never
// pushed, so a session holds little however slow its client reads. Not for the terminator's data
// path: it allocates.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace portcullis::server {

class Session {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Session() = default;

  // Feed takes the next bytes from the client and returns how many it took. It takes fewer than all
  // only when wants_input() has become false; the caller keeps the rest and offers it again.
  [[nodiscard]] virtual size_t Feed(std::span<const uint8_t> bytes) = 0;

  // FeedEnd says that the client sends no more (half-close). Called once, after its last byte was
  // taken.
  virtual void FeedEnd() = 0;

  // wants_input is false while the session could not hold more, or is done with reading.
  [[nodiscard]] virtual bool wants_input() const = 0;

  // Produce appends what there is to send at `now`, at most about `limit` bytes. Appending nothing
  // means: nothing until more input, or wake_at(), comes.
  virtual void Produce(std::string& out, size_t limit, Clock::time_point now) = 0;

  // wake_at is when Produce has more to say although no input came; empty: input only.
  [[nodiscard]] virtual std::optional<Clock::time_point> wake_at() const { return std::nullopt; }

  // finished means that all has been produced: send it, then close.
  [[nodiscard]] virtual bool finished() const = 0;
};

}  // namespace portcullis::server
