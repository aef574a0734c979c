#include "core/http/http1_upgrade.h"

#include <algorithm>
#include <string_view>

#include "core/http/field_syntax.h"

namespace portcullis::http {
namespace {

// protocol = token ["/" token]
bool Acceptable(std::string_view protocol) {
  const size_t slash = std::min(protocol.find('/'), protocol.size());
  const std::string_view name = protocol.substr(0, slash);
  if (!IsToken(name)) return false;
  if (slash != protocol.size() && !IsToken(protocol.substr(slash + 1))) return false;
  return !EqualsIgnoreCase(name, "h2c") && !EqualsIgnoreCase(name, "h2") &&
         !EqualsIgnoreCase(name, "HTTP") && !EqualsIgnoreCase(name, "TLS");
}

}  // namespace

void OfferedUpgrade(const HeaderList& headers, std::string& offer) {
  offer.clear();
  if (!HasToken(headers, "Connection", "upgrade")) return;
  for (const Header header : headers) {
    if (!EqualsIgnoreCase(header.name, "Upgrade")) continue;
    ForEachToken(header.value, [&](std::string_view protocol) {
      if (!Acceptable(protocol)) return;
      if (!offer.empty()) offer.append(", ");
      offer.append(protocol);
    });
  }
}

}  // namespace portcullis::http
