#include "core/server/commands/doctor_command.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/config/config.h"
#include "core/server/commands/exit_codes.h"
#include "core/server/commands/host_facts.h"
#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

bool HasName(const std::vector<io::ProbeCheck>& checks, std::string_view name) {
  return std::any_of(checks.begin(), checks.end(),
                     [name](const io::ProbeCheck& check) { return check.name == name; });
}

// The probe's checks first: they decide. Where both judge a limit, the host's check knows what the
// server needs.
std::vector<io::ProbeCheck> AllChecks() {
  const config::Limits limits;
  std::vector<io::ProbeCheck> host = JudgeHost(ReadHostFacts(), limits.max_connections);
  std::vector<io::ProbeCheck> all;
  for (io::ProbeCheck& check : io::Probe().checks) {
    if (check.required || !HasName(host, check.name)) all.push_back(std::move(check));
  }
  for (io::ProbeCheck& check : host) all.push_back(std::move(check));
  return all;
}

const char* Mark(const io::ProbeCheck& check) {
  if (check.ok) return "✓";
  return check.required ? "✗" : "!";
}

}  // namespace

std::string FormatChecks(const std::vector<io::ProbeCheck>& checks) {
  size_t width = 0;
  for (const io::ProbeCheck& check : checks) width = std::max(width, check.name.size());
  std::string text;
  for (const io::ProbeCheck& check : checks) {
    std::string name = check.name;
    name.resize(width, ' ');
    Append(&text, Mark(check), " ", name, "  ", check.detail, "\n");
    if (!check.ok && !check.remedy.empty()) {
      Append(&text, "  ", std::string(width, ' '), "  → ", check.remedy, "\n");
    }
  }
  return text;
}

int DoctorMain(const DoctorArgs&) {
  const std::vector<io::ProbeCheck> checks = AllChecks();
  const bool possible = std::all_of(checks.begin(), checks.end(), [](const io::ProbeCheck& check) {
    return check.ok || !check.required;
  });
  const bool advice = std::any_of(checks.begin(), checks.end(),
                                  [](const io::ProbeCheck& check) { return !check.ok; });
  const std::string text = FormatChecks(checks);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::puts(!possible ? "\nPortcullis cannot serve here: see the lines marked ✗."
            : advice  ? "\nPortcullis can serve here; see the lines marked !."
                      : "\nPortcullis can serve here.");
  std::fflush(stdout);
  return possible ? kExitSuccess : kExitConfig;
}

}  // namespace portcullis::server
