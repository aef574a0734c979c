// RecordLine: how a ConnectionRecord looks as a line of JSON. Pure function, any thread, no
// allocation.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/log/connection_record.h"

namespace portcullis::log {

// No line is longer, whatever the peer sent, the line feed included. Limits by field are in
// record_line.cc.
inline constexpr size_t kMaxLineBytes = 12 * 1024;

// RenderRecord writes `record` as one line of JSON, line feed included, and returns its length.
// Fields which do not apply are left out. A string too long for its field ends in U+2026, and
// "truncated":true is added.
[[nodiscard]] size_t RenderRecord(const ConnectionRecord& record,
                                  std::span<char, kMaxLineBytes> out);

}  // namespace portcullis::log
