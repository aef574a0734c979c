// LoadTrusts: CA certificates, intermediates and CRLs from files and folders into TrustMaterial.
// Part of LoadSnapshot: set-up code, blocks, the supervisor's thread.
#pragma once

#include <cstdint>

#include "core/server/problems.h"
#include "core/server/snapshot.h"

namespace portcullis::server {

// LoadTrusts loads the trusts of `snapshot.config` into it, with what metrics and operators are to
// know of them: facts on certificates and CRLs, and warnings of oddities. `now` in seconds since
// the epoch.
//
// What would come out as it did for `in_force` (null: nothing is in force) is taken from there: a
// reload costs neither time nor memory for CRLs that have not changed.
void LoadTrusts(Snapshot& snapshot, const Snapshot* in_force, int64_t now, Problems& problems);

}  // namespace portcullis::server
