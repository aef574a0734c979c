#include "tls/host_table.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "tls/check.h"
#include "tls/context_set.h"
#include "tls/host_context.h"

namespace portcullis::tls {
HostTable::HostTable(const HostTableOptions& options, std::shared_ptr<const TicketSecret> secret)
    : options_(options),
      ticket_keys_(std::move(secret)),
      names_(options.default_host, options.refuse_unknown_sni) {}

HostTable::~HostTable() = default;

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
    status = table->names_.Add(spec->name, spec->server_names);
    if (!status.ok()) return status;
    table->hosts_.push_back(std::move(host));
  }
  if (!options.default_host.empty() && table->FindHost(options.default_host) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("default host \"", options.default_host, "\" is not among the hosts"));
  }
  return table;
}

const Host* HostTable::At(std::optional<uint32_t> position) const {
  return position ? hosts_[*position].get() : nullptr;
}

const Host* HostTable::FindByName(std::string_view server_name) const {
  return At(names_.FindByName(server_name));
}

const Host* HostTable::FindHost(std::string_view name) const { return At(names_.FindHost(name)); }

const Host* HostTable::Select(std::string_view server_name) const {
  return At(names_.Select(server_name));
}

}  // namespace portcullis::tls
