// Machine: what the supervisor needs of the machine, besides what the configuration names: enough
// descriptors. Set-up code of the supervisor's thread; what is found is logged.
#pragma once

#include <cstdint>

#include "core/config/config.h"

namespace portcullis::server {

// RaiseOpenFiles lets this process have the descriptors that serving `config` with so many workers
// takes, and warns where the hard limit is below that: then connections come to wait in the
// kernel's backlog although there are slots for them.
void RaiseOpenFiles(const config::Config& config, uint32_t workers);

}  // namespace portcullis::server
