#include "core/log/operator_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

#include "absl/strings/str_format.h"

namespace portcullis::log {
namespace {

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Made at the first message and never destroyed: messages may still come while the process exits.
spdlog::logger& Logger() {
  static spdlog::logger& logger = *[] {
    auto* made =
        new spdlog::logger("portcullis", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return logger;
}

void Log(spdlog::level::level_enum level, std::string_view message) {
  if (!Logger().should_log(level)) return;
  // "{}" because a message is text, never a format.
  Logger().log(level, "{}", Printable(message));
}

}  // namespace

void SetUp(Level level) { Logger().set_level(ToSpdlog(level)); }

void Debug(std::string_view message) { Log(spdlog::level::debug, message); }
void Info(std::string_view message) { Log(spdlog::level::info, message); }
void Warn(std::string_view message) { Log(spdlog::level::warn, message); }
void Error(std::string_view message) { Log(spdlog::level::err, message); }

void Flush() { Logger().flush(); }

std::string Printable(std::string_view message) {
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  std::string printable;
  printable.reserve(message.size());
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      printable += "\n  ";
    } else if (byte < 0x20 || byte == 0x7F) {
      absl::StrAppendFormat(&printable, "\\x%02X", byte);
    } else {
      printable += c;
    }
  }
  return printable;
}

}  // namespace portcullis::log
