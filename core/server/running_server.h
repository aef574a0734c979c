// RunningServer: a terminator which serves in this process, as those see it who started it without
// being it.
//
// Owned by whoever started it; all calls on that one thread. Says nothing of configuration, reload
// or signals.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace portcullis::server {

// The ports a server listens on; the configuration may have asked for any free one.
struct ServerPorts {
  uint16_t admin = 0;                         // 0: no admin server
  std::map<std::string, uint16_t> listeners;  // by the listener's name
};

class RunningServer {
 public:
  virtual ~RunningServer() = default;

  // ports is constant from the start on.
  [[nodiscard]] virtual ServerPorts ports() const = 0;

  // Stop drains within timeouts.drain and ends every worker. Once or many times called; the
  // destructor implies it.
  virtual void Stop() = 0;
};

}  // namespace portcullis::server
