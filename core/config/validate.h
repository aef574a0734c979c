// Validate: the judgements that need more than one section: names that are taken twice, references
// to nothing, two listeners on one address, policies that contradict each other, definitions that
// nothing uses. Works on the typed Config alone, so what it accepts is what runs. Pure, one thread;
// reads no file.
#pragma once

#include "core/config/config.h"
#include "core/config/diagnostics.h"
#include "core/config/source_map.h"

namespace portcullis::config {

// ApplyDefaults fills in what follows from other sections: a listener's hosts (all), its default
// host (the first), and refusal by alert for virtual hosts that only tcp listeners serve and that
// do not say otherwise.
void ApplyDefaults(Config& config, const SourceMap& sources);

// Validate reports errors and warnings about `config`, to which ApplyDefaults has been applied. A
// value that is absent or was refused while it was read is passed over: that has been reported.
void Validate(const Config& config, const SourceMap& sources, Diagnostics& diagnostics);

}  // namespace portcullis::config
