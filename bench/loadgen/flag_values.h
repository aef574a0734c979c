// Readers of flag values: each takes text and says in its error what would have been right; the
// flag's name is put before it by the caller. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "bench/loadgen/options.h"

namespace portcullis::bench {

// NotWanted is the error of a value that is not what was wanted.
[[nodiscard]] absl::Status NotWanted(const std::string& value, const std::string& wanted);

// ReadCount takes 1 to `most`.
[[nodiscard]] absl::Status ReadCount(const std::string& value, uint64_t most, uint64_t& out);
[[nodiscard]] absl::Status ReadCount(const std::string& value, uint32_t most, uint32_t& out);
// ReadBytes takes a number with or without k, m or g (powers of 1024).
[[nodiscard]] absl::Status ReadBytes(const std::string& value, uint64_t& out);
// ReadSeconds takes "2.5" or "2.5s", up to a day.
[[nodiscard]] absl::Status ReadSeconds(const std::string& value, double& out);
// ReadRange takes "0-9999": the first and the last.
[[nodiscard]] absl::Status ReadRange(const std::string& value, NumberRange& out);
// ReadShare takes percent, 0 to 100, and returns millionths.
[[nodiscard]] absl::Status ReadShare(const std::string& value, uint32_t& ppm);
// ReadBad takes "none=5,expired=2.5,wrong_ca=1,revoked=1": percent of each kind, 100 in all at
// most.
[[nodiscard]] absl::Status ReadBad(const std::string& value, Options& options);

// ReadTarget takes the address of one server.
[[nodiscard]] absl::Status ReadTarget(const std::string& value, io::SocketAddress& out);
// ReadGroups takes names of key exchange groups that the TLS library has, with ":" between.
[[nodiscard]] absl::Status ReadGroups(const std::string& value, std::string& out);
// ReadPath takes what may stand in a request line: "/" and what is visible in ASCII.
[[nodiscard]] absl::Status ReadPath(const std::string& value, std::string& out);
// ReadLabel takes UTF-8, which JSON and pages are.
[[nodiscard]] absl::Status ReadLabel(const std::string& value, std::string& out);

}  // namespace portcullis::bench
