// The command line's entry: reads the arguments and calls the subcommand.
#include <cstdio>
#include <span>
#include <string>
#include <variant>

#include "core/server/commands/args.h"
#include "core/server/commands/backend_command.h"
#include "core/server/commands/demo_command.h"
#include "core/server/commands/doctor_command.h"
#include "core/server/commands/exit_codes.h"
#include "core/server/commands/verify_command.h"
#include "core/server/host_judge.h"
#include "core/server/serve.h"
#include "core/server/supervisor.h"
#include "portcullis_version.h"

namespace portcullis::server {
namespace {

struct Run {
  int operator()(const ServeArgs& args) const { return ServeMain(args); }
  int operator()(const CheckArgs& args) const { return CheckMain(args); }
  int operator()(const BackendArgs& args) const { return BackendMain(args); }
  int operator()(const DoctorArgs& args) const { return DoctorMain(args); }
  int operator()(const DemoArgs& args) const {
    return DemoMain(args, DemoHooks{.start = [](const std::string& path)
                                        -> absl::StatusOr<std::unique_ptr<RunningServer>> {
                      return Supervisor::Start(path);
                    }});
  }
  int operator()(const VerifyArgs& args) const {
    return VerifyMain(args, VerifyHooks{.load_host = LoadHostJudge});
  }
  int operator()(const VersionArgs&) const {
    std::printf("portcullis %s (%s, %s)\n", kVersion, kCommit, kFlavour);
    return kExitSuccess;
  }
  int operator()(const HelpArgs& args) const {
    std::fputs(args.text.c_str(), stdout);
    return kExitSuccess;
  }
};

}  // namespace

static int RunCommand(const Args& args) { return std::visit(Run{}, args); }

}  // namespace portcullis::server

int main(int argc, char** argv) {
  namespace server = portcullis::server;
  const auto arguments =
      std::span(const_cast<const char* const*>(argv), static_cast<size_t>(argc)).subspan(1);
  const absl::StatusOr<server::Args> args = server::ParseArgs(arguments);
  if (!args.ok()) {
    std::fprintf(stderr, "portcullis: %s\n", std::string(args.status().message()).c_str());
    return server::UsageExitCode(arguments);
  }
  return server::RunCommand(*args);
}
