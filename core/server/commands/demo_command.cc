#include "core/server/commands/demo_command.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"

#include "core/server/commands/demo_config.h"
#include "core/server/commands/demo_pki.h"
#include "core/server/commands/demo_requests.h"
#include "core/server/commands/embedded_backend.h"
#include "core/server/commands/exit_codes.h"
#include "core/server/commands/scratch_folder.h"
#include "core/server/commands/stop_signals.h"
#include "core/server/commands/text.h"
#include "io/listener.h"
#include "io/socket_address.h"

namespace portcullis::server {
namespace {

constexpr uint16_t kPort = 8443;
constexpr uint16_t kAdminPort = 9180;
constexpr uint16_t kPortsTried = 200;

// All that runs, in the order it was started; the reverse of it ends it.
struct Demo {
  ScratchFolder folder;
  std::unique_ptr<EmbeddedBackend> backend;
  std::unique_ptr<RunningServer> server;
  DemoPlace place;
};

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int Failed(const absl::Status& status) {
  std::fprintf(stderr, "portcullis demo: %s\n", std::string(status.message()).c_str());
  return absl::IsFailedPrecondition(status) ? kExitConfig : kExitFailure;
}

bool PortFree(uint16_t port) {
  const absl::StatusOr<io::SocketAddress> address = io::SocketAddress::FromIp("127.0.0.1", port);
  return address.ok() && io::CheckPortFree(*address).ok();
}

// The first free port from `wanted` on; 0 (any) when there is none near. Says so when it is another
// one.
uint16_t NextFreePort(uint16_t wanted) {
  for (uint16_t i = 0; i < kPortsTried; ++i) {
    const auto port = static_cast<uint16_t>(wanted + i);
    if (!PortFree(port)) continue;
    if (port != wanted) Print(Cat("Port ", wanted, " is taken; using ", port, ".\n"));
    return port;
  }
  return 0;
}

struct Ports {
  uint16_t port;
  uint16_t admin_port;
};

Ports ChoosePorts(const DemoArgs& args) {
  if (args.check) return {args.port.value_or(0), 0};
  if (args.port == 0) return {0, 0};
  const uint16_t port = args.port ? *args.port : NextFreePort(kPort);
  return {port, NextFreePort(kAdminPort)};
}

absl::StatusOr<Demo> StartDemo(const DemoArgs& args, const DemoHooks& hooks) {
  absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create("portcullis-demo-");
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<DemoPki> pki = MakeDemoPki(absl::Now());
  if (!pki.ok()) return pki.status();
  if (absl::Status status = WriteDemoPki(*pki, *folder); !status.ok()) return status;

  absl::StatusOr<std::unique_ptr<EmbeddedBackend>> backend = EmbeddedBackend::Start({});
  if (!backend.ok()) return backend.status();

  const Ports ports = ChoosePorts(args);
  if (ports.port != 0 && !PortFree(ports.port)) {
    return absl::AlreadyExistsError(
        Cat("port ", ports.port, " is taken; without --port a free one is found"));
  }
  const std::string config = DemoConfig({.port = ports.port,
                                         .admin_port = ports.admin_port,
                                         .backend = (*backend)->address(),
                                         .connection_log = folder->PathOf("connections.log")});
  if (absl::Status status = folder->Write("portcullis.yaml", config); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<RunningServer>> server =
      hooks.start(folder->PathOf("portcullis.yaml"));
  if (!server.ok()) return server.status();

  const ServerPorts bound = (*server)->ports();
  const auto listener = bound.listeners.find(kDemoListener);
  if (listener == bound.listeners.end()) return absl::InternalError("the listener has no port");
  DemoPlace place{folder->path(), listener->second, bound.admin};
  return Demo{*std::move(folder), *std::move(backend), *std::move(server), std::move(place)};
}

std::string Indented(std::string_view text, std::string_view indent) {
  std::string result;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    Append(&result, line.empty() ? "" : indent, line, "\n");
  }
  return result;
}

void ShowPlaces(const Demo& demo) {
  Print(Cat("\nPortcullis demo\n\n", "  terminator      https://localhost:", demo.place.port,
            "/  (client certificate required)\n", "  backend         http://",
            demo.backend->address(), "/  (what stands behind it)\n",
            "  metrics         http://127.0.0.1:", demo.place.admin_port, "/metrics\n",
            "  connection log  ", demo.folder.PathOf("connections.log"), "\n", "  configuration   ",
            demo.folder.PathOf("portcullis.yaml"), "\n"));
}

// Shows each command, and its answer where curl is there to get it.
void ShowRequests(const Demo& demo) {
  bool have_curl = true;
  for (const DemoRequest& request : DemoRequests(demo.place)) {
    Print(Cat("\n# ", request.title, "\n$ ", ShellLine(request.command), "\n"));
    if (!have_curl) continue;
    const absl::StatusOr<std::string> answer = RunCurl(request.command);
    have_curl = !absl::IsNotFound(answer.status());
    Print(Indented(answer.ok() ? *answer : std::string(answer.status().message()), "  "));
  }
  Print(Cat("\n# what was counted\n$ ", ShellLine(MetricsCommand(demo.place)),
            " | grep portcullis_handshake\n"));
}

int ShowChecks(const Demo& demo) {
  bool all_ok = true;
  for (const Finding& finding : CheckDemo(demo.place)) {
    Print(Cat(finding.ok ? "✓ " : "✗ ", finding.text, "\n"));
    all_ok = all_ok && finding.ok;
  }
  Print(all_ok ? "demo: every answer is right\n" : "demo: something is wrong\n");
  return all_ok ? kExitSuccess : kExitFailure;
}

}  // namespace

int DemoMain(const DemoArgs& args, const DemoHooks& hooks) {
  StopSignals signals;
  absl::StatusOr<Demo> demo = StartDemo(args, hooks);
  if (!demo.ok()) return Failed(demo.status());
  int exit_code = kExitSuccess;
  if (args.check) {
    exit_code = ShowChecks(*demo);
  } else {
    ShowPlaces(*demo);
    ShowRequests(*demo);
    Print(
        "\nThe commands work from any other terminal. Ctrl-C ends the demo and removes its "
        "files.\n");
    signals.Wait();
    Print("\n");
  }
  demo->server->Stop();
  demo->backend->Stop();
  return exit_code;
}

}  // namespace portcullis::server
