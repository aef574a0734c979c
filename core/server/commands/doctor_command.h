// `portcullis doctor`: says whether this machine can serve, and what to do about each thing that
// stands in the way.
//
// Main thread; a few seconds at most, since io_uring is probed by using it. Changes nothing.
#pragma once

#include <string>
#include <vector>

#include "core/server/commands/args.h"
#include "io/probe.h"

namespace portcullis::server {

// FormatChecks is a line for each check, aligned, with its remedy beneath where it failed: "✗" for
// what makes serving impossible, "!" for advice, "✓" for what is well.
[[nodiscard]] std::string FormatChecks(const std::vector<io::ProbeCheck>& checks);

// DoctorMain prints the checks and a verdict on stdout. Returns 0, or 78 when serving is impossible
// here.
[[nodiscard]] int DoctorMain(const DoctorArgs& args);

}  // namespace portcullis::server
