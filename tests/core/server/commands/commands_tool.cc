// The subcommands of this folder as a program of their own, for tests which need them in another
// process. The demo's terminator is a FakeTerminator, with the fault that $PORTCULLIS_FAULT names
// by number.

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <variant>

#include "core/server/commands/args.h"
#include "core/server/commands/backend_command.h"
#include "core/server/commands/demo_command.h"
#include "core/server/commands/doctor_command.h"
#include "core/server/commands/exit_codes.h"
#include "tests/core/server/commands/fake_terminator.h"

namespace portcullis::server {
namespace {

int Demo(const DemoArgs& args) {
  const char* number = getenv("PORTCULLIS_FAULT");
  const auto fault = static_cast<Fault>(number == nullptr ? 0 : atoi(number));
  return DemoMain(args, {.start = [fault](const std::string& config_path) {
                    return FakeTerminator::Start(config_path, fault);
                  }});
}

int Main(std::span<const char* const> arguments) {
  const absl::StatusOr<Args> args = ParseArgs(arguments);
  if (!args.ok()) {
    std::fprintf(stderr, "%s\n", std::string(args.status().message()).c_str());
    return kExitFailure;
  }
  if (const auto* demo = std::get_if<DemoArgs>(&*args)) return Demo(*demo);
  if (const auto* backend = std::get_if<BackendArgs>(&*args)) return BackendMain(*backend);
  if (const auto* doctor = std::get_if<DoctorArgs>(&*args)) return DoctorMain(*doctor);
  return kExitFailure;
}

}  // namespace
}  // namespace portcullis::server

int main(int argc, char** argv) {
  return portcullis::server::Main({argv + 1, static_cast<size_t>(argc - 1)});
}
