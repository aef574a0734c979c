// Byte sizes as operators write them: "32768", "32KiB", "1MiB", "1GiB". Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::config {

// ParseByteSize returns the number of bytes, or nothing when `text` is not digits followed by
// nothing, KiB, MiB or GiB, or does not fit. Decimal units (KB, MB) are refused: too many programs
// mean 1024 by them.
std::optional<uint64_t> ParseByteSize(std::string_view text);

// FormatByteSize returns text that ParseByteSize reads back, in the largest unit that is exact.
std::string FormatByteSize(uint64_t num_bytes);

}  // namespace portcullis::config
