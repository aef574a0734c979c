#include "core/config/diagnostics.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "core/config/text.h"

namespace portcullis::config {

void Diagnostics::Error(const Finding& finding) {
  if (full()) {
    ++num_errors_dropped_;
    return;
  }
  std::string text = Concat(Prefix(finding.where, finding.path), "found ", finding.found,
                            "; allowed: ", finding.allowed);
  if (!finding.hint.empty()) text += Concat("; ", finding.hint);
  errors_.push_back({finding.where, errors_.size(), std::move(text)});
}

void Diagnostics::Warn(Position where, std::string_view path, std::string_view text) {
  if (warnings_.size() >= kMaxKept) return;
  warnings_.push_back({where, warnings_.size(), Concat(Prefix(where, path), text)});
}

absl::Status Diagnostics::ToStatus() const {
  if (ok()) return absl::OkStatus();
  std::string message = Join(InOrder(errors_), "\n");
  if (num_errors_dropped_ > 0) {
    message += Concat("\n", file_, ": and ", num_errors_dropped_, " more errors");
  }
  return absl::InvalidArgumentError(message);
}

std::vector<std::string> Diagnostics::Warnings() const { return InOrder(warnings_); }

std::vector<std::string> Diagnostics::InOrder(std::vector<Line> lines) {
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::tie(a.where.line, a.where.column, a.number) <
           std::tie(b.where.line, b.where.column, b.number);
  });
  std::vector<std::string> texts;
  texts.reserve(lines.size());
  for (Line& line : lines) texts.push_back(std::move(line.text));
  return texts;
}

std::string Diagnostics::Prefix(Position where, std::string_view path) const {
  return Concat(file_, ":", where.line, ":", where.column, ": ", path.empty() ? "document" : path,
                ": ");
}

std::string Place(const Location& where) {
  if (where.file.empty()) return "";
  return Concat(where.file, ":", where.line, ":", where.column, ": ", where.field,
                where.field.empty() ? "" : ": ");
}

std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
      out += Concat("<", HexByte(static_cast<uint8_t>(c)), ">");
    } else {
      out += c;
    }
  }
  return out;
}

std::string Quoted(std::string_view text) {
  constexpr size_t kMaxShown = 80;
  size_t end = std::min(text.size(), kMaxShown);
  while (end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return Concat("'", Printable(text.substr(0, end)), end < text.size() ? "...'" : "'");
}

}  // namespace portcullis::config
