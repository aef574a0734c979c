// ServerNames: which server name each of a thread's connections asks for: one and the same, or
// those of a range. Plain values; each thread has its own.
#pragma once

#include <cstdint>
#include <string>

#include "bench/loadgen/options.h"

namespace portcullis::bench {

class ServerNames {
 public:
  // The names of options.sni and options.server_names. Threads, counted from 0, begin at different
  // places in the range.
  ServerNames(const Options& options, uint32_t thread);

  // Next returns a connection's name, valid until the next call. Those of a range come in a
  // scattered order that is the same in every run, each once before any comes again: neighbours
  // would be found in the server's memory one beside the other.
  [[nodiscard]] const std::string& Next();

 private:
  std::string before_, after_;  // what stands around the number
  NumberRange range_;
  uint32_t stride_;  // has no factor in common with the range's size
  uint32_t at_ = 0;
  std::string name_;
};

}  // namespace portcullis::bench
