// Exposition: reads single counts out of Prometheus's text format, to see whether metrics moved as
// they should.
//
// Enough for what the demo and its tests ask of our own /metrics; no general parser. Pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::server {

using Labels = std::vector<std::pair<std::string, std::string>>;

// SumOf adds up the samples of the series `name` which carry all of `labels` (and perhaps more); 0
// without any.
[[nodiscard]] double SumOf(std::string_view exposition, std::string_view name,
                           const Labels& labels);

}  // namespace portcullis::server
