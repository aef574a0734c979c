// Diagnostics: what was wrong with one configuration, collected while it is read so that an
// operator sees all of it at once. Every error says where it stands (file:line:column), which
// field, what was found and what is allowed: the struct has no way to leave one out. Owned by one
// ParseConfig call, one thread. It prints and logs nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "core/config/config.h"

namespace portcullis::config {

// Where a value stands in the text; both from 1, in bytes. 0: not in the text.
struct Position {
  int line = 0;
  int column = 0;
};

struct Finding {
  Position where;
  std::string path;     // "virtual_hosts[0].client_auth.mode"; empty: the document itself
  std::string found;    // reads on after "found"
  std::string allowed;  // reads on after "allowed:"
  std::string hint;     // a remedy or a reason; may be empty
};

class Diagnostics {
 public:
  // No more errors (and no more warnings) than this are kept; the rest is counted.
  static constexpr size_t kMaxKept = 1000;

  explicit Diagnostics(std::string_view file) : file_(file) {}
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;

  // Error records that the configuration cannot be used.
  void Error(const Finding& finding);
  // Warn records that it can, but hardly says what its author meant.
  void Warn(Position where, std::string_view path, std::string_view text);

  // ok returns whether no error was recorded.
  [[nodiscard]] bool ok() const { return errors_.empty(); }
  // full returns whether further errors are only counted: costly searches for hints can stop.
  [[nodiscard]] bool full() const { return errors_.size() >= kMaxKept; }

  // ToStatus returns OK, or InvalidArgument whose message has one line an error, in the order of
  // the text.
  [[nodiscard]] absl::Status ToStatus() const;
  // Warnings returns one line each, in the order of the text.
  [[nodiscard]] std::vector<std::string> Warnings() const;

  // At returns `where` together with the file's name and that of the field there.
  [[nodiscard]] Location At(Position where, std::string_view field) const {
    return {file_, where.line, where.column, std::string(field)};
  }

 private:
  struct Line {
    Position where;
    size_t number;  // among its kind: the order within one place
    std::string text;
  };
  static std::vector<std::string> InOrder(std::vector<Line> lines);
  [[nodiscard]] std::string Prefix(Position where, std::string_view path) const;

  std::string file_;
  std::vector<Line> errors_;
  std::vector<Line> warnings_;
  size_t num_errors_dropped_ = 0;
};

// Place returns `where` as messages about it begin, "FILE:LINE:COLUMN: FIELD: "; "" when it is
// nowhere.
[[nodiscard]] std::string Place(const Location& where);

// Printable returns `text` on one line, control characters spelt out.
std::string Printable(std::string_view text);

// Quoted returns `text` in single quotes on one printable line, cut when long.
std::string Quoted(std::string_view text);

}  // namespace portcullis::config
