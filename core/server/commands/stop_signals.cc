#include "core/server/commands/stop_signals.h"

#include <ctime>

#include "io/check.h"

namespace portcullis::server {

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  CHECK(pthread_sigmask(SIG_BLOCK, &signals_, &before_) == 0);
}

StopSignals::~StopSignals() {
  // An impatient second Ctrl-C must not kill us between here and the caller's own clean-up.
  const timespec none{};
  while (sigtimedwait(&signals_, nullptr, &none) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int StopSignals::Wait() {
  int signal = 0;
  CHECK(sigwait(&signals_, &signal) == 0);
  return signal;
}

}  // namespace portcullis::server
