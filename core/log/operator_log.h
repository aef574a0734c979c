// OperatorLog: messages for whoever runs the service, on stderr, one line each with time and level.
// Not for workers: it locks and may block. Over spdlog, which nothing else needs to know. Any
// thread but a worker's. Text may hold bytes from outside: control characters come out escaped, and
// a message's further lines indented, so that none can pass for another message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::log {

enum class Level : uint8_t { kDebug, kInfo, kWarn, kError };

// SetUp says from which level on messages are written (default: info). May be called again at a
// reload.
void SetUp(Level level);

void Debug(std::string_view message);
void Info(std::string_view message);
void Warn(std::string_view message);
void Error(std::string_view message);

// Flush writes out what is buffered; before exiting.
void Flush();

// Printable returns `message` as it is written: control characters but line feeds as \xNN, line
// feeds followed by two spaces, trailing ones dropped.
[[nodiscard]] std::string Printable(std::string_view message);

}  // namespace portcullis::log
