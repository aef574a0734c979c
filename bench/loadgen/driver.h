// Driver: one thread of the load: its own ring, clients, sessions and accounts. It starts what is
// due (pacing.cc), carries completions to the sessions, and acts on what they tell.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"

#include "bench/loadgen/arrivals.h"
#include "bench/loadgen/client_tls.h"
#include "bench/loadgen/clients.h"
#include "bench/loadgen/ledger.h"
#include "bench/loadgen/run.h"
#include "bench/loadgen/server_names.h"
#include "bench/loadgen/session.h"
#include "io/buffer_ring.h"
#include "io/ring.h"

namespace portcullis::bench {

class Driver {
 public:
  // The `thread`-th of options.threads, from 0.
  Driver(const Options& options, const Issuers& issuers, Run& run, uint32_t thread);

  // Drive makes the ring on the calling thread, waits for the run to begin, and drives until the
  // window is over and everything started has ended. The error is that of the ring or of a file.
  absl::Status Drive();
  [[nodiscard]] Tally& tally() { return ledger_.tally(); }

 private:
  absl::Status SetUp();
  void Loop();
  void Turn();
  void Dispatch(const io::Cqe& cqe);
  void Act(Session& session, Outcome outcome);
  Outcome Next(Session& session, Outcome outcome);
  Outcome OnReady(Session& session);
  Outcome OnAnswered(Session& session);
  void OnFailed(Session& session);
  Outcome Ask(Session& session);
  void Close(Session& session);
  void Sweep();
  void GiveUp();

  // What to start, and when (pacing.cc).
  void StartDue();
  void StartClosed();
  void StartOpen();
  void OpenKept();
  bool StartConnection(const Unit& unit);
  Outcome GiveWork(Session& session);
  Outcome Park(Session& session);
  void AskHeld();
  void Drain();
  [[nodiscard]] Unit NextArrival() const;
  [[nodiscard]] Unit StartNow() const;
  [[nodiscard]] bool ArrivalDue() const;
  [[nodiscard]] bool Take(const Unit& unit);
  [[nodiscard]] bool NothingToStart() const;
  [[nodiscard]] const io::SocketAddress* NextSource();
  [[nodiscard]] std::chrono::nanoseconds WaitTime();
  [[nodiscard]] bool Over();

  const Options& options_;
  const Issuers& issuers_;
  Run& run_;
  const uint32_t thread_;
  const uint32_t connections_;  // this thread's share
  Ledger ledger_;
  ServerNames names_;
  std::unique_ptr<ClientContext> context_;
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<io::Ring> ring_;
  std::unique_ptr<io::BufferRing> buffers_;
  io::BlockPool blocks_{256};
  io::IntrusiveList rearm_;
  io::StreamCounters counters_;
  std::optional<io::StreamEnv> env_;
  std::optional<io::TimerWheel> wheel_;
  io::Slab<Session> sessions_;
  std::vector<Session*> ending_;
  std::vector<Session*> parked_;      // kept connections with nothing to do
  std::optional<Arrivals> arrivals_;  // open loop
  uint32_t warmup_steps_ = 0;         // of them, before the first that counts
  int64_t now_ns_ = 0;                // of this turn's dispatch
  size_t next_source_ = 0;            // of options.sources
  uint32_t placed_ = 0;               // sessions that --connections limits
  bool draining_ = false;             // nothing more is started
  bool opened_ = false;               // idle mode: all there will be are open
  bool checking_ = false;             // idle mode: those held are asked again
  bool given_up_ = false;             // what was open after an interrupt is closed
};

}  // namespace portcullis::bench
