// Load: one run from start to end: makes the clients' CA and writes its files, starts the threads,
// watches them with a progress line, and puts together what they counted.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "bench/loadgen/clients.h"
#include "bench/loadgen/options.h"
#include "bench/loadgen/result.h"

namespace portcullis::bench {

// WriteFiles writes the CA, CRL and issuer files that the options name, as WriteFile (output.h)
// does each.
absl::Status WriteFiles(const Options& options, const Issuers& issuers);

// RunLoad runs the load on threads of its own and returns when all have ended. SIGINT and SIGTERM
// end the window early: what is open then has a second to end, or until the second of them. Before
// the load has begun they are an error, Cancelled.
absl::StatusOr<Result> RunLoad(const Options& options, const Issuers& issuers);

}  // namespace portcullis::bench
