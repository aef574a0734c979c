#include "tls/host_names.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "tls/absl_text.h"

namespace portcullis::tls {
namespace {

constexpr size_t kMaxNameBytes = 255;  // RFC 1035 2.3.4

// A name in lower case and without the root's dot, on the stack: this runs for every handshake.
class FoldedName {
 public:
  explicit FoldedName(std::string_view name) {
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    if (name.size() > kMaxNameBytes) return;  // No host is called that: stays empty.
    size_ = name.size();
    std::transform(name.begin(), name.end(), text_.begin(),
                   [](char c) { return absl::ascii_tolower(static_cast<unsigned char>(c)); });
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxNameBytes> text_;
  size_t size_ = 0;
};

std::optional<uint32_t> Find(const absl::flat_hash_map<std::string, uint32_t>& positions,
                             std::string_view name) {
  const auto found = positions.find(AbslText(name));
  return found == positions.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

absl::Status HostNames::Add(std::string_view name, const std::vector<std::string>& server_names) {
  const auto position = static_cast<uint32_t>(hosts_.size());
  hosts_.emplace_back(name);
  by_host_.emplace(hosts_.back(), position);
  if (name == default_host_) default_ = position;
  for (const std::string& server_name : server_names) {
    if (absl::Status status = AddServerName(position, server_name); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status HostNames::AddServerName(uint32_t position, std::string_view server_name) {
  const bool is_wildcard = server_name.substr(0, 2) == "*.";
  const FoldedName folded(is_wildcard ? server_name.substr(2) : server_name);
  if (folded.view().empty() || folded.view().find('*') != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("host ", hosts_[position], ": server name \"",
                                                   AbslText(server_name),
                                                   "\" is neither a name nor \"*.\" and one"));
  }
  auto& names = is_wildcard ? wildcard_ : exact_;
  const auto [found, inserted] = names.emplace(std::string(folded.view()), position);
  if (!inserted && found->second != position) {
    return absl::InvalidArgumentError(absl::StrCat("host ", hosts_[position], ": server name \"",
                                                   AbslText(server_name), "\" belongs to host ",
                                                   hosts_[found->second], " already"));
  }
  return absl::OkStatus();
}

std::optional<uint32_t> HostNames::FindByName(std::string_view server_name) const {
  const FoldedName folded(server_name);
  const std::string_view name = folded.view();
  if (const auto found = Find(exact_, name)) return found;
  // One label stands for the star, so only the suffix behind the first dot can match: it is also
  // the longest.
  const size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos) return std::nullopt;
  return Find(wildcard_, name.substr(dot + 1));
}

std::optional<uint32_t> HostNames::FindHost(std::string_view name) const {
  return Find(by_host_, name);
}

std::optional<uint32_t> HostNames::Select(std::string_view server_name) const {
  if (server_name.empty()) return default_;
  const std::optional<uint32_t> found = FindByName(server_name);
  return found || refuse_unknown_ ? found : default_;
}

}  // namespace portcullis::tls
