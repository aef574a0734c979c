// Probe: finds out by trying whether this machine can run a worker, and says what to do where it
// cannot.
//
// Each check performs the real operation on a small ring of the calling thread (no kernel version
// is parsed). Set-up and `doctor` only: it blocks for moments, or a few seconds where something
// hangs. It prints nothing and does not exit; the caller decides.
#pragma once

#include <string>
#include <vector>

namespace portcullis::io {

struct ProbeCheck {
  std::string name;  // "io_uring", "ring flags", ...
  bool ok = false;
  bool required = true;     // a failed check that is not required is advice
  std::string detail = {};  // what was found
  std::string remedy = {};  // what to do; empty when ok
};

struct ProbeReport {
  std::vector<ProbeCheck> checks;
  [[nodiscard]] bool ok() const;  // every required check passed
};

ProbeReport Probe();

}  // namespace portcullis::io
