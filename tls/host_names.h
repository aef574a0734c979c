// HostNames: which virtual host of a listener a client gets: by the server name it asks for, exact
// or wildcard, or by default. Names and positions only, so that a configuration that is not served
// yet can be asked as well. Immutable once filled; whoever owns it says which thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

namespace portcullis::tls {

class HostNames {
 public:
  // `default_host` is the name of the host for an absent server name, and for an unknown one unless
  // `refuse_unknown`. Empty: none.
  HostNames(std::string default_host, bool refuse_unknown)
      : default_host_(std::move(default_host)), refuse_unknown_(refuse_unknown) {}

  // Add makes the next position that of the virtual host called `name`. InvalidArgument names one
  // of its server names that is neither a name nor "*." and one, or another host's.
  absl::Status Add(std::string_view name, const std::vector<std::string>& server_names);

  // Select returns the host for a server name: exact, then the wildcard of one label, then the
  // default. Case-insensitive; an empty name is an absent one.
  [[nodiscard]] std::optional<uint32_t> Select(std::string_view server_name) const;
  // FindByName is Select without the default.
  [[nodiscard]] std::optional<uint32_t> FindByName(std::string_view server_name) const;
  // FindHost returns the host called `name` in the configuration.
  [[nodiscard]] std::optional<uint32_t> FindHost(std::string_view name) const;

 private:
  using Positions = absl::flat_hash_map<std::string, uint32_t>;

  absl::Status AddServerName(uint32_t position, std::string_view server_name);

  std::string default_host_;
  bool refuse_unknown_;
  std::vector<std::string> hosts_;  // their names, by position
  Positions exact_;
  Positions wildcard_;  // keyed by the suffix behind "*."
  Positions by_host_;
  std::optional<uint32_t> default_;
};

}  // namespace portcullis::tls
