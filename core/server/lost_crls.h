// What a reload takes away without an error: a ca.crl gone from a trust's folder, or no `crl` in
// the configuration any more, may be meant or not, and lets revoked clients in. Pure function; the
// supervisor's thread.
#pragma once

#include <string>
#include <vector>

#include "core/server/snapshot.h"

namespace portcullis::server {

// LostCrls returns a line for each trust that had CRLs to ask in `before` and has none in `after`:
// whom it revoked is no longer refused. A trust that is gone, or new, has lost none; one that
// requires CRLs and has none was no configuration in the first place.
[[nodiscard]] std::vector<std::string> LostCrls(const Snapshot& before, const Snapshot& after);

}  // namespace portcullis::server
