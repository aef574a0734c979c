// FakeTerminator: just enough of a terminator for the demo's requests, on blocking sockets, with
// faults to order.
//
// It lets the demo's own checks be tested: that they pass on what is right, and fail on each thing
// that is wrong. Reads the demo's real configuration with the real reader. One connection at a time
// on each port.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "openssl/ssl.h"

#include "core/config/config.h"
#include "core/server/running_server.h"

namespace portcullis::server {

enum class Fault : uint8_t {
  kNone,
  kAdmitsStrangers,  // serves whoever brings a certificate
  kAdmitsAnyone,     // ... or none
  kHidesIdentity,    // tells the backend nothing
  kCountsTwice,
  kNoMetrics,  // answers 404 to a scrape
};

class FakeTerminator : public RunningServer {
 public:
  static absl::StatusOr<std::unique_ptr<RunningServer>> Start(const std::string& config_path,
                                                              Fault fault);
  ~FakeTerminator() override;

  [[nodiscard]] ServerPorts ports() const override;
  void Stop() override;

 private:
  enum class Outcome : uint8_t { kOk, kNoCertificate, kUnknownCa };

  FakeTerminator(config::Config config, Fault fault) : config_(std::move(config)), fault_(fault) {}
  absl::Status Open();
  void ServeClients();
  void ServeScrapes();
  void ServeClient(int fd);
  [[nodiscard]] std::string AnswerFor(Outcome outcome) const;
  [[nodiscard]] std::string Metrics() const;

  const config::Config config_;
  const Fault fault_;
  bssl::UniquePtr<SSL_CTX> context_;
  int listen_fd_ = -1;
  int admin_fd_ = -1;
  std::array<std::atomic<int>, 3> counts_{};  // by Outcome
  std::thread clients_;
  std::thread scrapes_;
};

}  // namespace portcullis::server
