// SignalSource: process signals as something to wait for, with no handler that could run in the
// middle of anything.
//
// Create blocks the signals in the calling thread; threads started later inherit that, so create it
// before any. One object a process, one thread.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>

#include "absl/status/statusor.h"

namespace portcullis::io {

class SignalSource {
 public:
  static absl::StatusOr<std::unique_ptr<SignalSource>> Create(std::initializer_list<int> signals);
  ~SignalSource();
  SignalSource(const SignalSource&) = delete;
  SignalSource& operator=(const SignalSource&) = delete;

  // Wait returns the number of the next signal, or 0 when `timeout` passes first.
  [[nodiscard]] int Wait(std::chrono::milliseconds timeout);

 private:
  explicit SignalSource(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace portcullis::io
