// Resolver: names of responders to addresses, on a thread of its own, because the system's resolver
// blocks for as long as it likes. Its owner need not wait for that thread to end: what it still
// works on outlives the Resolver.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/socket_address.h"

namespace portcullis::ocsp {

// Where resolved names go. Called on the resolver's thread, possibly after the Resolver is gone.
class ResolvedSink {
 public:
  virtual ~ResolvedSink() = default;
  // No addresses: the name is not known.
  virtual void Resolved(const std::string& host, std::vector<io::SocketAddress> addresses) = 0;
};

class Resolver {
 public:
  explicit Resolver(std::shared_ptr<ResolvedSink> sink);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Resolve looks a name up, after those asked for before; the addresses have port 0.
  void Resolve(std::string host);

 private:
  struct Work;
  std::shared_ptr<Work> work_;
};

}  // namespace portcullis::ocsp
