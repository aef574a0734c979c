#include "core/server/serve.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "core/config/describe.h"
#include "core/log/operator_log.h"
#include "core/server/commands/exit_codes.h"
#include "core/server/files.h"
#include "core/server/machine.h"
#include "core/server/snapshot.h"
#include "core/server/supervisor.h"
#include "io/signals.h"

namespace portcullis::server {
namespace {

constexpr std::chrono::milliseconds kTidyEvery{1000};
constexpr std::chrono::milliseconds kDrainPoll{20};

int ExitCodeOf(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status) ||
                 absl::IsNotFound(status)
             ? kExitConfig
             : kExitFailure;
}

absl::Status WriteReadyFile(const std::string& path, const ServerPorts& ports) {
  if (path.empty()) return absl::OkStatus();
  nlohmann::json ready;
  ready["pid"] = getpid();
  ready["admin"] = ports.admin;
  ready["listeners"] = nlohmann::json::object();
  for (const auto& [name, port] : ports.listeners) ready["listeners"][name] = port;
  return WriteWholeFile(path, ready.dump() + "\n");
}

// Until the first SIGTERM or SIGINT.
void RunUntilStopped(io::SignalSource& signals, Supervisor& supervisor) {
  while (true) {
    const int signal = signals.Wait(kTidyEvery);
    supervisor.Tidy();
    if (signal == SIGHUP) {
      // The outcome is logged and counted there; serving goes on either way.
      supervisor.Reload().IgnoreError();
    } else if (signal == SIGTERM || signal == SIGINT) {
      return;
    }
  }
}

void DrainUntilFinished(io::SignalSource& signals, Supervisor& supervisor) {
  supervisor.BeginDrain();
  while (!supervisor.finished()) {
    const int signal = signals.Wait(kDrainPoll);
    if (signal == SIGTERM || signal == SIGINT) supervisor.Cut();
    supervisor.Tidy();
  }
  supervisor.Stop();
}

}  // namespace

int ServeMain(const ServeArgs& args) {
  KeepBigBuffersOffTheHeap();
  absl::StatusOr<std::unique_ptr<io::SignalSource>> signals =
      io::SignalSource::Create({SIGTERM, SIGINT, SIGHUP});
  if (!signals.ok()) {
    log::Error(std::string(signals.status().message()));
    return kExitFailure;
  }
  signal(SIGPIPE, SIG_IGN);
  absl::StatusOr<std::unique_ptr<Supervisor>> supervisor = Supervisor::Start(args.config_path);
  if (!supervisor.ok()) {
    log::Error(std::string(supervisor.status().message()));
    return ExitCodeOf(supervisor.status());
  }
  if (absl::Status status = WriteReadyFile(args.ready_file, (*supervisor)->ports()); !status.ok()) {
    log::Error(std::string(status.message()));
    return kExitFailure;
  }
  RunUntilStopped(**signals, **supervisor);
  DrainUntilFinished(**signals, **supervisor);
  log::Info("stopped");
  log::Flush();
  return kExitSuccess;
}

int CheckMain(const CheckArgs& args) {
  absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot =
      LoadSnapshot(args.config_path, static_cast<int64_t>(time(nullptr)));
  absl::Status status = snapshot.status();
  if (status.ok()) {
    // Ciphers, groups and the like are judged by the TLS library: build what a worker would get.
    RuntimeParameters parameters;
    parameters.worker_capacity = 1;
    parameters.listener_ports.assign((*snapshot)->listeners.size(), 0);
    parameters.ticket_secret = tls::TicketSecret::Random(3600);
    metrics::ShardSet shards(1, {{.name = "none", .judges_certificate = false}});
    status = BuildRuntime(*snapshot, parameters, shards).status();
  }
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    return kExitConfig;
  }
  for (const std::string& warning : (*snapshot)->warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  std::fputs(config::Describe((*snapshot)->config).c_str(), stdout);
  for (const std::string& note : (*snapshot)->notes) std::fprintf(stdout, "%s\n", note.c_str());
  return kExitSuccess;
}

}  // namespace portcullis::server
