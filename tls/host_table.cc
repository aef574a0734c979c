#include "tls/host_table.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "tls/absl_text.h"
#include "tls/check.h"
#include "tls/context_set.h"
#include "tls/host_context.h"

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

}  // namespace

HostTable::HostTable(const HostTableOptions& options, std::shared_ptr<const TicketSecret> secret)
    : options_(options), ticket_keys_(std::move(secret)) {}

HostTable::~HostTable() = default;

absl::Status HostTable::AddName(const Host& host, std::string_view name) {
  const bool is_wildcard = name.substr(0, 2) == "*.";
  const FoldedName folded(is_wildcard ? name.substr(2) : name);
  if (folded.view().empty() || folded.view().find('*') != std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("host ", host.spec->name, ": server name \"",
                                                   AbslText(name),
                                                   "\" is neither a name nor \"*.\" and one"));
  }
  auto& names = is_wildcard ? wildcard_ : exact_;
  const auto [found, inserted] = names.emplace(std::string(folded.view()), &host);
  if (!inserted && found->second != &host) {
    return absl::InvalidArgumentError(absl::StrCat("host ", host.spec->name, ": server name \"",
                                                   AbslText(name), "\" belongs to host ",
                                                   found->second->spec->name, " already"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<HostTable>> HostTable::Build(
    const std::vector<const HostSpec*>& specs, const HostTableOptions& options,
    std::shared_ptr<const TicketSecret> ticket_secret, VerifierSet* verifiers) {
  std::unique_ptr<HostTable> table(new HostTable(options, std::move(ticket_secret)));
  table->base_ = MakeBaseContext(options);
  if (verifiers == nullptr) {
    table->own_verifiers_ = std::make_unique<VerifierSet>();
    verifiers = table->own_verifiers_.get();
  }
  ContextSet contexts;
  for (const HostSpec* const spec : specs) {
    TLS_CHECK(spec != nullptr);
    auto host = std::make_unique<Host>();
    host->spec = spec;
    host->index = static_cast<uint32_t>(table->hosts_.size());
    absl::Status status = MakeHostContexts(*host, options, *verifiers, contexts);
    if (!status.ok()) return status;
    for (const std::string& name : spec->server_names) {
      status = table->AddName(*host, name);
      if (!status.ok()) return status;
    }
    if (spec->name == options.default_host) table->default_ = host.get();
    table->by_name_.emplace(spec->name, host.get());
    table->hosts_.push_back(std::move(host));
  }
  if (table->default_ == nullptr && !options.default_host.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("default host \"", options.default_host, "\" is not among the hosts"));
  }
  return table;
}

const Host* HostTable::FindByName(std::string_view server_name) const {
  const FoldedName folded(server_name);
  const std::string_view name = folded.view();
  if (const auto found = exact_.find(AbslText(name)); found != exact_.end()) return found->second;
  // One label stands for the star, so only the suffix behind the first dot can match: it is also
  // the longest.
  const size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos) return nullptr;
  const auto found = wildcard_.find(AbslText(name.substr(dot + 1)));
  return found == wildcard_.end() ? nullptr : found->second;
}

const Host* HostTable::FindHost(std::string_view name) const {
  const auto found = by_name_.find(AbslText(name));
  return found == by_name_.end() ? nullptr : found->second;
}

const Host* HostTable::Select(std::string_view server_name) const {
  if (server_name.empty()) return default_;
  const Host* const host = FindByName(server_name);
  if (host != nullptr) return host;
  return options_.refuse_unknown_sni ? nullptr : default_;
}

}  // namespace portcullis::tls
