#include "core/server/commands/backend_command.h"

#include <cstdint>
#include <cstdio>
#include <memory>

#include "absl/status/statusor.h"

#include "core/server/commands/embedded_backend.h"
#include "core/server/commands/exit_codes.h"
#include "core/server/commands/stop_signals.h"
#include "io/open_files.h"

namespace portcullis::server {

int BackendMain(const BackendArgs& args) {
  constexpr uint64_t kRoom = 4096;  // for connections, whose descriptors nobody then waits for
  io::ReserveOpenFiles(kRoom);
  StopSignals signals;
  const absl::StatusOr<std::unique_ptr<EmbeddedBackend>> backend =
      EmbeddedBackend::Start({.listen = args.listen, .mode = args.mode});
  if (!backend.ok()) {
    std::fprintf(stderr, "portcullis backend: %s\n",
                 std::string(backend.status().message()).c_str());
    return kExitFailure;
  }
  std::printf("listening on %s\n", (*backend)->address().c_str());
  std::fflush(stdout);
  signals.Wait();
  (*backend)->Stop();
  return kExitSuccess;
}

}  // namespace portcullis::server
