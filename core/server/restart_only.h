// RestartOnly: the fields of a configuration that a reload reads and does not apply, since what
// they shaped was made at the start, or when a socket was opened. Remembers what is in force, so
// that a reload can name what it leaves alone. The supervisor's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/config/config.h"

namespace portcullis::server {

class RestartOnly {
 public:
  // Of a process that starts with `config` and serves with so many workers.
  RestartOnly(const config::Config& config, uint32_t workers);

  // Take returns a line for each field in which `config`, which is served from here on, differs
  // from what stays in force; `workers` is how many it asks for. Sockets that it has and the one
  // before had not are taken to be opened as it says.
  std::vector<std::string> Take(const config::Config& config, uint32_t workers);

 private:
  const uint32_t workers_;
  const bool pin_workers_;
  const config::Admin admin_;
  const config::Limits limits_;
  const uint32_t rejections_kept_;
  std::string connections_;                   // the connection log's place
  std::map<std::string, uint32_t> backlogs_;  // by SocketKey, of the open sockets
};

}  // namespace portcullis::server
