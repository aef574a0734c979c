// `portcullis verify`: judges a client's certificate with the very verifier that serves, and says
// what it found.
//
// Main thread. Reads the files named and nothing else; changes nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "core/server/commands/args.h"
#include "tls/client_verifier.h"
#include "tls/policy.h"

namespace portcullis::server {

// What a virtual host judges its clients by.
struct HostJudge {
  std::shared_ptr<const tls::TrustMaterial> trust;
  std::shared_ptr<const tls::Policy> policy;  // null: none
  tls::VerifierOptions options;
};

// What main() lends, for it is made by the server, which is built upon this folder.
struct VerifyHooks {
  // Loads the configuration at `path` and finds the virtual host of that name, or that has it among
  // its server names.
  absl::StatusOr<HostJudge> (*load_host)(const std::string& path, const std::string& host,
                                         int64_t now);
};

// VerifyMain prints the path on stdout and, of a rejected one, the reason on stderr; with --json
// one object on stdout. Returns 0 for accepted, 1 for rejected, 2 for could not tell.
[[nodiscard]] int VerifyMain(const VerifyArgs& args, const VerifyHooks& hooks);

}  // namespace portcullis::server
