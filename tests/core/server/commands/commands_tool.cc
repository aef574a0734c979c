// The subcommands of this folder as a program of their own, for tests which need them in another
// process. The demo's terminator is a FakeTerminator, with the fault that $PORTCULLIS_FAULT names
// by number.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <variant>

#include "core/server/commands/args.h"
#include "core/server/commands/backend_command.h"
#include "core/server/commands/demo_command.h"
#include "core/server/commands/doctor_command.h"
#include "core/server/commands/exit_codes.h"
#include "core/server/commands/verify_command.h"
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

// The host "pinned" of any configuration trusts the CA whose file is $PORTCULLIS_TRUST, and nobody
// called "mallory".
absl::StatusOr<HostJudge> LoadHost(const std::string& path, const std::string& host, int64_t now) {
  if (host != "pinned") return absl::NotFoundError(path + ": no host " + host);
  std::ifstream file(getenv("PORTCULLIS_TRUST"));
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  tls::TrustSources sources;
  sources.cas.push_back({pem, "ca.crt"});
  auto trust = tls::TrustMaterial::Parse("pinned", sources, {}, {}, now);
  auto policy = tls::Policy::Compile(
      {.allow = {},
       .deny = {{.name = "no-mallory",
                 .all_of = {{.field = tls::MatchField::kCommonName, .values = {"mallory"}}}}}});
  if (!trust.ok()) return trust.status();
  if (!policy.ok()) return policy.status();
  return HostJudge{.trust = *trust, .policy = *policy, .options = {.max_depth = 0}};
}

int Main(std::span<const char* const> arguments) {
  const absl::StatusOr<Args> args = ParseArgs(arguments);
  if (!args.ok()) {
    std::fprintf(stderr, "%s\n", std::string(args.status().message()).c_str());
    return UsageExitCode(arguments);
  }
  if (const auto* demo = std::get_if<DemoArgs>(&*args)) return Demo(*demo);
  if (const auto* backend = std::get_if<BackendArgs>(&*args)) return BackendMain(*backend);
  if (const auto* doctor = std::get_if<DoctorArgs>(&*args)) return DoctorMain(*doctor);
  if (const auto* verify = std::get_if<VerifyArgs>(&*args)) {
    return VerifyMain(*verify, {.load_host = LoadHost});
  }
  return kExitFailure;
}

}  // namespace
}  // namespace portcullis::server

int main(int argc, char** argv) {
  return portcullis::server::Main({argv + 1, static_cast<size_t>(argc - 1)});
}
