#include "core/server/snapshot.h"

#include <openssl/mem.h>

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

#include "core/backend/runtime.h"
#include "core/config/yaml_reader.h"
#include "core/server/files.h"
#include "core/server/load_trusts.h"
#include "core/server/problems.h"
#include "tls/credentials.h"
#include "tls/host_context.h"
#include "tls/key_choice.h"
#include "tls/ocsp_staple.h"

namespace portcullis::server {
namespace {

template <typename T>
const T* FindByName(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

// A response that would not help a client is left out, and said to be: the certificate serves
// without.
void DropOddStaple(const tls::OcspAnswer& answer, const config::Certificate& certificate,
                   int64_t now, tls::CredentialSpec& spec, Snapshot& snapshot) {
  const std::string oddity = tls::StapleOddity(answer, now);
  if (oddity.empty()) return;
  snapshot.warnings.push_back(absl::StrCat(Place(certificate.ocsp_response_where),
                                           certificate.ocsp_response_path,
                                           ": OCSP response not stapled: ", oddity));
  spec.ocsp_response.clear();
}

// Decides what the key signs with and where, by the host's wish and what a signature costs here.
bool Choose(const config::VirtualHost& host, const config::Certificate& certificate,
            const tls::Credential& loaded, tls::CredentialSpec& spec, Snapshot& snapshot,
            Problems& problems) {
  absl::StatusOr<tls::SigningChoice> choice =
      tls::ChooseSigning(loaded.key.get(), host.tls.signing);
  if (!choice.ok()) {
    problems.Add(certificate.key_where,
                 absl::StrCat(certificate.key_path, ": ", choice.status().message()));
    return false;
  }
  spec.key_provider = choice->provider;
  spec.sign_on_helper = choice->on_helper;
  if (!choice->report.empty()) snapshot.notes.push_back(choice->report);
  return true;
}

void LoadCredentials(const config::VirtualHost& host, Snapshot& snapshot,
                     std::vector<tls::CredentialSpec>& credentials, int64_t now,
                     Problems& problems) {
  for (const config::Certificate& certificate : host.certificates) {
    absl::StatusOr<std::string> chain =
        ReadWholeFile(certificate.chain_path, certificate.chain_where);
    absl::StatusOr<std::string> key = ReadWholeFile(certificate.key_path, certificate.key_where);
    problems.Add(chain.status());
    problems.Add(key.status());
    if (!chain.ok() || !key.ok()) continue;
    tls::CredentialSpec spec{
        .chain_pem = *std::move(chain),
        .key_pem = *std::move(key),
        .origin = absl::StrCat(certificate.chain_path, ", ", certificate.key_path)};
    if (!certificate.ocsp_response_path.empty()) {
      absl::StatusOr<std::string> staple =
          ReadWholeFile(certificate.ocsp_response_path, certificate.ocsp_response_where);
      problems.Add(staple.status());
      if (!staple.ok()) continue;
      spec.ocsp_response = *std::move(staple);
      spec.ocsp_origin = certificate.ocsp_response_path;
    }
    absl::StatusOr<tls::Credential> loaded = tls::LoadCredential(spec);
    if (!loaded.ok()) {
      problems.Add(certificate.where, loaded.status().message());
      continue;
    }
    if (loaded->staple.has_value())
      DropOddStaple(*loaded->staple, certificate, now, spec, snapshot);
    if (!Choose(host, certificate, *loaded, spec, snapshot, problems)) continue;
    absl::StatusOr<tls::CertificateInfo> info =
        tls::InspectCertificatePem(spec.chain_pem, certificate.chain_path);
    if (!info.ok()) {
      problems.Add(certificate.chain_where, info.status().message());
      continue;
    }
    if (info->not_after < now) {
      snapshot.warnings.push_back(
          absl::StrCat(Place(certificate.chain_where), certificate.chain_path, ": expired"));
    }
    snapshot.certificates.push_back(
        {.kind = metrics::CertificateKind::kServer,
         .name = host.name,
         .subject = info->subject,
         .serial = info->serial_hex,
         .not_after = info->not_after,
         .stapled_until = spec.ocsp_response.empty() ? 0 : tls::StapleUntil(*loaded->staple)});
    credentials.push_back(std::move(spec));
  }
}

// What only the library can judge, each text once: hosts may share what stands at top level.
class LibraryTerms {
 public:
  void Check(const config::Tls& tls, Problems& problems) {
    if (!tls.ciphers.empty() && IsNew(tls.ciphers_where)) {
      const absl::Status status = tls::CheckCiphers(tls.ciphers);
      if (!status.ok()) problems.Add(tls.ciphers_where, status.message());
    }
    if (!tls.groups.empty() && IsNew(tls.groups_where)) {
      const absl::Status status = tls::GroupList(tls.groups).status();
      if (!status.ok()) problems.Add(tls.groups_where, status.message());
    }
  }

 private:
  bool IsNew(const config::Location& where) { return seen_.insert(where.field).second; }
  absl::flat_hash_set<std::string> seen_;
};

uint16_t WireVersion(const std::string& version) {
  return version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION;
}

tls::ClientAuthMode ModeOf(config::AuthMode mode) {
  switch (mode) {
    case config::AuthMode::kOff:
      return tls::ClientAuthMode::kOff;
    case config::AuthMode::kOptional:
      return tls::ClientAuthMode::kOptional;
    case config::AuthMode::kOptionalNoCa:
      return tls::ClientAuthMode::kOptionalNoCa;
    case config::AuthMode::kRequire:
      break;
  }
  return tls::ClientAuthMode::kRequire;
}

tls::CaNames CaNamesOf(config::CaNames names) {
  switch (names) {
    case config::CaNames::kNone:
      return tls::CaNames::kNone;
    case config::CaNames::kFit:
      return tls::CaNames::kFit;
    case config::CaNames::kAuto:
      break;
  }
  return tls::CaNames::kAuto;
}

// What a virtual host is made of, whichever listener serves it.
struct HostMaterial {
  std::vector<tls::CredentialSpec> credentials;
  std::shared_ptr<const tls::Policy> policy;  // null: none
};

HostMaterial LoadHost(const config::VirtualHost& host, Snapshot& snapshot, int64_t now,
                      Problems& problems) {
  HostMaterial material;
  LoadCredentials(host, snapshot, material.credentials, now, problems);
  const tls::PolicySpec& rules = host.client_auth.policy;
  if (rules.allow.empty() && rules.deny.empty()) return material;
  absl::StatusOr<std::shared_ptr<const tls::Policy>> policy = tls::Policy::Compile(rules);
  if (policy.ok()) {
    material.policy = *std::move(policy);
  } else {
    problems.Add(host.where, policy.status().message());
  }
  return material;
}

tls::ClientAuthSpec ClientAuthOf(const config::VirtualHost& host, config::StageMode mode,
                                 const Snapshot& snapshot, const HostMaterial& material) {
  tls::ClientAuthSpec spec;
  const config::ClientAuth& auth = host.client_auth;
  spec.mode = ModeOf(auth.mode);
  // Raw TCP has no page to refuse with.
  const bool page = auth.refusal == config::Refusal::kHttp && mode == config::StageMode::kHttp;
  spec.refusal = page ? tls::RefusalStyle::kHttp : tls::RefusalStyle::kAlert;
  spec.max_depth = auth.max_depth;
  spec.ca_names = CaNamesOf(auth.send_ca_names);
  spec.profile = auth.profile;
  spec.policy = material.policy;
  spec.close_on_change = auth.close_on_change;
  spec.keep_leaf = auth.pass_certificate && mode == config::StageMode::kHttp;
  if (const auto trust = snapshot.trusts.find(auth.trust); trust != snapshot.trusts.end()) {
    spec.trust = trust->second;
    spec.intermediates_as_anchors =
        FindByName(snapshot.config.trusts, auth.trust)->intermediates_as_anchors;
  }
  return spec;
}

std::unique_ptr<tls::HostSpec> SpecOf(const config::VirtualHost& host,
                                      const config::Listener& listener, const Snapshot& snapshot,
                                      const HostMaterial& material) {
  auto spec = std::make_unique<tls::HostSpec>();
  spec->name = host.name;
  spec->server_names = host.server_names;
  spec->credentials = material.credentials;
  spec->min_version = WireVersion(host.tls.min_version);
  spec->max_version = WireVersion(host.tls.max_version);
  spec->ciphers = host.tls.ciphers;
  spec->groups = host.tls.groups;
  spec->alpn = host.tls.alpn;
  if (listener.mode == config::StageMode::kHttp) spec->alpn = {"http/1.1"};
  spec->tickets = host.tls.tickets;
  spec->session_lifetime_s = static_cast<uint32_t>(host.tls.session_lifetime.count());
  spec->client_auth = ClientAuthOf(host, listener.mode, snapshot, material);
  return spec;
}

void LoadTicketSecret(Snapshot& snapshot, Problems& problems) {
  const config::Tickets& tickets = snapshot.config.tickets;
  if (tickets.secret_file.empty()) return;
  absl::StatusOr<std::string> bytes = ReadWholeFile(tickets.secret_file, tickets.where);
  problems.Add(bytes.status());
  if (!bytes.ok()) return;
  const auto slot = static_cast<uint32_t>(tickets.slot.count());
  auto secret = tls::TicketSecret::FromBytes(*bytes, slot);
  OPENSSL_cleanse(bytes->data(), bytes->size());
  if (!secret.ok()) {
    problems.Add(tickets.where,
                 absl::StrCat("'", tickets.secret_file, "': ", secret.status().message()));
    return;
  }
  snapshot.ticket_secret = *std::move(secret);
  if (ReadableByOthers(tickets.secret_file)) {
    snapshot.warnings.push_back(
        absl::StrCat(Place(tickets.where), "'", tickets.secret_file,
                     "' can be read by others than its owner: who has it can forge sessions"));
  }
}

void LoadListeners(Snapshot& snapshot, int64_t now, Problems& problems) {
  absl::flat_hash_map<std::string, HostMaterial> materials;
  LibraryTerms terms;
  for (const config::VirtualHost& host : snapshot.config.virtual_hosts) {
    terms.Check(host.tls, problems);
    materials[host.name] = LoadHost(host, snapshot, now, problems);
  }
  if (!problems.status().ok()) return;
  for (const config::Listener& listener : snapshot.config.listeners) {
    ListenerSnapshot loaded;
    loaded.listener = &listener;
    for (const std::string& name : listener.hosts) {
      const config::VirtualHost* host = FindByName(snapshot.config.virtual_hosts, name);
      loaded.virtual_hosts.push_back(host);
      loaded.hosts.push_back(SpecOf(*host, listener, snapshot, materials[name]));
    }
    loaded.options.default_host = listener.default_host;
    loaded.options.refuse_unknown_sni = listener.refuse_unknown_sni;
    loaded.options.max_chain_bytes = snapshot.config.limits.max_chain_bytes;
    snapshot.listeners.push_back(std::move(loaded));
  }
}

std::vector<const tls::HostSpec*> Borrow(const std::vector<std::unique_ptr<tls::HostSpec>>& specs) {
  std::vector<const tls::HostSpec*> borrowed;
  for (const auto& spec : specs) borrowed.push_back(spec.get());
  return borrowed;
}

// A worker's share of a limit for all of them, rounded up.
uint32_t Share(uint32_t limit, uint32_t workers) { return (limit + workers - 1) / workers; }

}  // namespace

absl::StatusOr<std::shared_ptr<const Snapshot>> LoadSnapshot(const std::string& path, int64_t now,
                                                             const Snapshot* in_force) {
  auto snapshot = std::make_shared<Snapshot>();
  absl::StatusOr<config::Config> config = config::LoadConfig(path, &snapshot->warnings);
  if (!config.ok()) return config.status();
  snapshot->config = *std::move(config);
  Problems problems;
  LoadTrusts(*snapshot, in_force, now, problems);
  LoadTicketSecret(*snapshot, problems);
  LoadListeners(*snapshot, now, problems);
  for (const config::Backend& backend : snapshot->config.backends) {
    absl::StatusOr<ResolvedTargets> targets = backend::ResolveTargets(backend);
    problems.Add(targets.status());
    snapshot->backend_targets.push_back(targets.ok() ? *std::move(targets) : ResolvedTargets{});
  }
  if (absl::Status status = problems.status(); !status.ok()) return status;
  return snapshot;
}

absl::StatusOr<std::unique_ptr<connection::Runtime>> BuildRuntime(
    std::shared_ptr<const Snapshot> snapshot, const RuntimeParameters& parameters,
    metrics::ShardSet& shards) {
  const config::Config& config = snapshot->config;
  auto runtime = std::make_unique<connection::Runtime>();
  runtime->version = parameters.version;
  runtime->timeouts = config.timeouts;
  runtime->max_connections = std::min(Share(config.limits.max_connections, parameters.num_workers),
                                      parameters.worker_capacity);
  runtime->max_handshakes = Share(config.limits.max_handshakes, parameters.num_workers);
  runtime->max_request_head_bytes = config.limits.max_request_head_bytes;
  runtime->max_headers = config.limits.max_headers;
  absl::flat_hash_map<std::string, std::shared_ptr<backend::BackendRuntime>> backends;
  for (size_t i = 0; i < config.backends.size(); ++i) {
    const absl::StatusOr<size_t> id = shards.AddBackend(config.backends[i].name);
    if (!id.ok()) return id.status();
    runtime->backends.push_back(backend::MakeRuntime(config.backends[i], static_cast<uint32_t>(*id),
                                                     snapshot->backend_targets[i]));
    backends[config.backends[i].name] = runtime->backends.back();
  }
  for (size_t i = 0; i < snapshot->listeners.size(); ++i) {
    const ListenerSnapshot& from = snapshot->listeners[i];
    auto listener = std::make_unique<connection::ListenerRuntime>();
    listener->name = from.listener->name;
    listener->address = SocketKey(*from.listener);
    listener->mode = from.listener->mode;
    listener->port = parameters.listener_ports[i];
    const absl::StatusOr<size_t> id = shards.AddListener(from.listener->name);
    if (!id.ok()) return id.status();
    listener->metrics_id = static_cast<uint32_t>(*id);
    auto hosts = tls::HostTable::Build(Borrow(from.hosts), from.options, parameters.ticket_secret,
                                       &runtime->verifiers);
    if (!hosts.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(Place(from.listener->where), "listener '",
                                                     from.listener->name,
                                                     "': ", hosts.status().message()));
    }
    listener->hosts = *std::move(hosts);
    for (const config::VirtualHost* host : from.virtual_hosts) {
      listener->host_runtimes.push_back({.identity = host->identity,
                                         .forwarding = host->forwarding,
                                         .pass_certificate = host->client_auth.pass_certificate,
                                         .explain_refusals = host->client_auth.explain_refusals,
                                         .server_tokens = host->server_tokens,
                                         .backend = backends[host->backend]});
    }
    runtime->listeners.push_back(std::move(listener));
  }
  for (const auto& [name, trust] : snapshot->trusts) runtime->trusts.push_back(trust);
  runtime->specs = std::move(snapshot);
  return runtime;
}

std::string SocketKey(const config::Listener& listener) {
  const bool any_port = listener.address.ends_with(":0");
  return any_port ? absl::StrCat(listener.address, "#", listener.name) : listener.address;
}

}  // namespace portcullis::server
