#include "core/server/commands/exposition.h"

#include <algorithm>

#include "absl/strings/numbers.h"

#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

// Takes `name="value",...}` off the front of `line`, the brace included. False when it is no such
// thing.
bool TakeLabels(std::string_view& line, Labels& labels) {
  while (!line.starts_with('}')) {
    const size_t equals = line.find("=\"");
    if (equals == line.npos) return false;
    std::string name(line.substr(0, equals));
    std::string value;
    size_t at = equals + 2;
    while (at < line.size() && line[at] != '"') {
      if (line[at] == '\\' && at + 1 < line.size()) ++at;
      value += line[at++];
    }
    if (at == line.size()) return false;
    labels.emplace_back(std::move(name), std::move(value));
    line.remove_prefix(at + 1);
    if (line.starts_with(',')) line.remove_prefix(1);
  }
  line.remove_prefix(1);
  return true;
}

}  // namespace

double SumOf(std::string_view exposition, std::string_view name, const Labels& labels) {
  double sum = 0;
  while (!exposition.empty()) {
    const size_t end = exposition.find('\n');
    std::string_view line = exposition.substr(0, end);
    exposition.remove_prefix(end == exposition.npos ? exposition.size() : end + 1);
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    Labels found;
    if (line.starts_with('{')) {
      line.remove_prefix(1);
      if (!TakeLabels(line, found)) continue;
    }
    if (!line.starts_with(' ')) continue;  // a longer name
    const bool carries = std::all_of(labels.begin(), labels.end(), [&found](const auto& label) {
      return std::find(found.begin(), found.end(), label) != found.end();
    });
    line.remove_prefix(1);
    double value = 0;
    if (carries && absl::SimpleAtod(Piece(line.substr(0, line.find(' '))), &value)) sum += value;
  }
  return sum;
}

}  // namespace portcullis::server
