// Machine: what the supervisor needs of the machine, besides what the configuration names: a kernel
// whose io_uring does what a worker asks of it, and enough descriptors. Set-up code of the
// supervisor's thread, before there are workers.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

#include "core/config/config.h"
#include "io/probe.h"

namespace portcullis::server {

// CheckMachine tries out what a worker needs (io::Probe). FailedPrecondition: it is not to be had
// here; the message has a line with cause and remedy for each thing that is missing.
[[nodiscard]] absl::Status CheckMachine();

// StatusOf is the same of a report that is given.
[[nodiscard]] absl::Status StatusOf(const io::ProbeReport& report);

// RaiseOpenFiles lets this process have the descriptors that serving `config` with so many workers
// takes, has the kernel make room for them (so that no worker waits for that later), and warns
// where the hard limit is below that: then connections come to wait in the kernel's backlog
// although there are slots for them.
void RaiseOpenFiles(const config::Config& config, uint32_t workers);

// KeepBigBuffersOffTheHeap has buffers of a MiB and more (a CRL's text, its index) go back to the
// kernel when they are freed. The C library would come to keep them on its heap instead, once it
// has seen one freed, and what lies beyond them there keeps the room they had: tens of MB for ever,
// by luck. Before the first big allocation.
void KeepBigBuffersOffTheHeap();

}  // namespace portcullis::server
