// Clients: whom a thread's connections pretend to be: which certificate, whether the server must
// refuse it, and the ticket that each one got last. One for each thread; the issuer behind them is
// shared.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/loadgen/issuer.h"
#include "bench/loadgen/options.h"

namespace portcullis::bench {

struct Client {
  Credential credential;  // empty: presents none
  std::optional<BadKind> bad;
  bssl::UniquePtr<SSL_SESSION> session;  // the last ticket; null: none
};

// Draws one of several things in fixed shares, as evenly as can be: after n draws each thing has
// come n times its share, to within one.
class ShareDrawer {
 public:
  static constexpr uint32_t kWhole = 1'000'000;
  // Shares in millionths, of which at most kWhole in all.
  explicit ShareDrawer(std::vector<uint32_t> ppm);
  // Draw returns the index of a share, or its number of shares for what they leave over.
  [[nodiscard]] size_t Draw();

 private:
  std::vector<uint32_t> ppm_;
  std::vector<uint64_t> owed_;  // in millionths
};

// The issuers behind all threads' clients. `population` is null when nothing is to be signed.
struct Issuers {
  std::unique_ptr<Issuer> population;
  std::unique_ptr<Issuer> stranger;  // the "wrong CA"
};

// MakeIssuers makes or reads what the options ask for.
absl::StatusOr<Issuers> MakeIssuers(const Options& options);

class Clients {
 public:
  // Create reads the files, and makes its thread's part of a population if that is to be done at
  // start, unless `off` comes to be set: that is an error then. `thread` counts from 0.
  static absl::StatusOr<std::unique_ptr<Clients>> Create(const Options& options,
                                                         const Issuers& issuers, uint32_t thread,
                                                         const std::atomic<bool>& off);

  // Next returns the client of the next connection, which stays where it is; null when it could not
  // be signed. `resume`: whether it is to offer its ticket, if it has one.
  [[nodiscard]] Client* Next(bool& resume);

 private:
  Clients(const Options& options, const Issuers& issuers);
  absl::Status LoadGood(uint32_t thread, const std::atomic<bool>& off);
  absl::Status LoadBad(BadKind kind);
  [[nodiscard]] bool Ensure(Client& client, uint64_t index) const;

  const Options& options_;
  const Issuers& issuers_;
  ShareDrawer bad_draw_;
  ShareDrawer resume_draw_;
  std::vector<Client> good_;
  std::array<std::vector<Client>, kNumBadKinds> bad_;
  std::array<size_t, kNumBadKinds> next_bad_{};
  size_t next_good_ = 0;
  uint64_t first_index_ = 0;  // of a population's part
};

}  // namespace portcullis::bench
