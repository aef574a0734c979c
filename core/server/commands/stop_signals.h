// StopSignals: SIGINT and SIGTERM as something to wait for, in the subcommands that serve until
// told to stop.
//
// Make one on the main thread before any other thread starts (they inherit the mask); its thread
// then calls Wait.
#pragma once

#include <csignal>

namespace portcullis::server {

class StopSignals {
 public:
  StopSignals();   // blocks both, in this thread and those it starts
  ~StopSignals();  // restores the mask; what came meanwhile and was not waited for is dropped
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Wait returns the number of the first of them to come.
  int Wait();

 private:
  sigset_t signals_;
  sigset_t before_;
};

}  // namespace portcullis::server
