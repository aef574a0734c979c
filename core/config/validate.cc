#include "core/config/validate.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/address.h"
#include "core/config/did_you_mean.h"
#include "core/config/durations.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

constexpr std::string_view kHttpAlpn = "http listeners offer http/1.1";

using NameIndex = std::map<std::string_view, size_t>;

bool Contains(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

class Validator {
 public:
  Validator(const Config& config, const SourceMap& sources, Diagnostics& diagnostics)
      : config_(config), sources_(sources), diagnostics_(diagnostics) {}

  void Run() {
    Index(config_.listeners, "listeners");
    const NameIndex hosts = Index(config_.virtual_hosts, "virtual_hosts");
    const NameIndex trusts = Index(config_.trusts, "trusts");
    const NameIndex backends = Index(config_.backends, "backends");
    for (size_t i = 0; i < config_.listeners.size(); ++i) CheckListener(i, hosts);
    for (size_t i = 0; i < config_.virtual_hosts.size(); ++i) CheckHost(i, trusts, backends);
    for (size_t i = 0; i < config_.trusts.size(); ++i) {
      CheckTrust(config_.trusts[i], ItemPath("trusts", i));
    }
    CheckTopTls();
    CheckAddresses();
    CheckServerNames(hosts);
    CheckLimits();
    ReportUnused();
  }

 private:
  void Error(std::string path, std::string found, std::string allowed, std::string hint = {}) {
    const Position where = sources_.Find(path);
    diagnostics_.Error(
        {where, std::move(path), std::move(found), std::move(allowed), std::move(hint)});
  }
  void Warn(const std::string& path, std::string_view text) {
    diagnostics_.Warn(sources_.Find(path), path, text);
  }

  // Describes a definition: "listeners[0] (line 7)".
  [[nodiscard]] std::string Place(std::string_view path) const {
    return Concat(path, " (line ", sources_.Find(path).line, ")");
  }

  // Returns the definitions by name, reporting names that are taken.
  template <typename T>
  NameIndex Index(const std::vector<T>& definitions, std::string_view section) {
    NameIndex index;
    for (size_t i = 0; i < definitions.size(); ++i) {
      const std::string& name = definitions[i].name;
      if (name.empty()) continue;
      const auto [first, is_new] = index.try_emplace(name, i);
      if (is_new) continue;
      const std::string path = FieldPath(ItemPath(section, i), "name");
      Error(path, Concat(Quoted(name), ", the name of ", Place(ItemPath(section, first->second))),
            "a name of its own",
            sources_.Has(path)
                ? ""
                : "give it a name: without one it has that of its first server name");
    }
    return index;
  }

  // Checks that `name`, written at `path`, is among `known`. A section that could not be read at
  // all refuses nothing.
  void CheckReference(const std::string& path, const std::string& name, const NameIndex& known,
                      std::string_view section) {
    if (name.empty() || known.contains(name)) return;
    if (known.empty() && sources_.Has(section)) return;
    std::vector<std::string_view> names;
    if (!diagnostics_.full()) {
      for (const auto& [known_name, unused] : known) names.push_back(known_name);
      std::sort(names.begin(), names.end());
    }
    Error(path, Quoted(name), Choices(names, section), DidYouMean(name, names));
  }

  // Lists what may be referred to, the first few where there are many.
  static std::string Choices(const std::vector<std::string_view>& names, std::string_view section) {
    constexpr size_t kMaxShown = 10;
    if (names.empty()) return Concat("a name from ", section, ", of which there are none");
    const size_t shown = std::min(names.size(), kMaxShown);
    const std::string listed = Join(std::span(names).first(shown), ", ");
    return Concat("a name from ", section, " (", listed, shown < names.size() ? ", ...)" : ")");
  }

  void CheckListener(size_t i, const NameIndex& hosts) {
    const Listener& listener = config_.listeners[i];
    const std::string path = ItemPath("listeners", i);
    const std::string hosts_path = FieldPath(path, "hosts");
    CheckHostList(listener, hosts_path, hosts);
    const std::string default_path = FieldPath(path, "default_host");
    if (listener.default_host.empty() || Contains(listener.hosts, listener.default_host)) return;
    if (!hosts.contains(listener.default_host)) {
      CheckReference(default_path, listener.default_host, hosts, "virtual_hosts");
    } else {
      Error(default_path, Quoted(listener.default_host), "one of the listener's own hosts",
            Concat("add it to ", hosts_path));
    }
  }

  void CheckHostList(const Listener& listener, const std::string& path, const NameIndex& hosts) {
    std::set<std::string_view> seen;
    for (size_t j = 0; j < listener.hosts.size(); ++j) {
      const std::string item_path = ItemPath(path, j);
      CheckReference(item_path, listener.hosts[j], hosts, "virtual_hosts");
      if (!seen.insert(listener.hosts[j]).second) {
        Error(item_path, Quoted(listener.hosts[j]), "each host once");
      }
    }
  }

  void CheckHost(size_t i, const NameIndex& trusts, const NameIndex& backends) {
    const VirtualHost& host = config_.virtual_hosts[i];
    const std::string path = ItemPath("virtual_hosts", i);
    CheckReference(FieldPath(path, "backend"), host.backend, backends, "backends");
    CheckClientAuth(host, FieldPath(path, "client_auth"), trusts);
    CheckStages(host, path);
    CheckLifetime(host.tls, FieldPath(path, "tls"));
  }

  void CheckClientAuth(const VirtualHost& host, const std::string& path, const NameIndex& trusts) {
    const ClientAuth& auth = host.client_auth;
    const std::string trust_path = FieldPath(path, "trust");
    CheckReference(trust_path, auth.trust, trusts, "trusts");
    if (auth.mode != AuthMode::kOff) {
      CheckPolicy(auth, FieldPath(path, "policy"));
      if (!auth.trust.empty() || sources_.Has(trust_path)) return;
      Error(trust_path, "nothing", "the name of a trust",
            "client_auth needs to know whose certificates to accept");
      return;
    }
    if (!sources_.Has(path)) {
      Warn(path,
           "is not there: this host is open to everyone, with a certificate or without; "
           "client_auth: {mode: off} says that it is meant to be");
    }
    if (!sources_.Has(FieldPath(path, "mode"))) return;
    WarnWithoutEffect(path,
                      {"refusal", "trust", "max_depth", "profile", "send_ca_names", "policy",
                       "close_on_change", "pass_certificate", "explain_refusals"},
                      "client_auth.mode is off");
  }

  // Says of each of `fields` that was written that it has no effect.
  void WarnWithoutEffect(std::string_view path, std::initializer_list<std::string_view> fields,
                         std::string_view why) {
    for (const std::string_view field : fields) {
      const std::string field_path = FieldPath(path, field);
      if (sources_.Has(field_path)) Warn(field_path, Concat("has no effect: ", why));
    }
  }

  void CheckPolicy(const ClientAuth& auth, const std::string& path) {
    if (auth.mode != AuthMode::kOptionalNoCa || !sources_.Has(path)) return;
    Error(path, "a policy where client_auth.mode is optional_no_ca", "a policy in other modes",
          "whoever no CA vouches for can claim to be anyone");
  }

  void CheckTrust(const Trust& trust, const std::string& path) {
    const std::string revocation = FieldPath(path, "revocation");
    if (trust.revocation.mode == tls::RevocationMode::kOff) {
      WarnWithoutEffect(revocation, {"scope", "grace"}, "revocation.mode is off");
      WarnWithoutEffect(path, {"crl"}, "revocation.mode is off");
    }
    if (trust.revocation.mode == tls::RevocationMode::kRequire && trust.crl_paths.empty()) {
      Error(FieldPath(revocation, "mode"), "'require' in a trust without CRLs", "crl with files",
            "every client would be refused");
    }
    if (trust.ocsp.mode == tls::OcspMode::kOff) {
      WarnWithoutEffect(FieldPath(path, "ocsp"), {"responder", "timeout"}, "ocsp.mode is off");
    } else if (trust.ocsp.timeout >= config_.timeouts.handshake) {
      Warn(FieldPath(path, "ocsp"),
           "ocsp.timeout is not below timeouts.handshake: a responder that hangs takes the whole "
           "handshake, whatever the mode");
    }
  }

  void CheckTopTls() {
    const bool tcp = std::any_of(config_.listeners.begin(), config_.listeners.end(),
                                 [](const Listener& l) { return l.mode == StageMode::kTcp; });
    if (!tcp) WarnWithoutEffect("tls", {"alpn"}, kHttpAlpn);
  }

  // Tickets die with their key: a lifetime beyond that promises what nobody gets.
  void CheckLifetime(const Tls& tls, const std::string& path) {
    if (!tls.tickets || tls.session_lifetime <= 2 * config_.tickets.slot) return;
    for (const std::string& field_path :
         {FieldPath(path, "session_lifetime"), std::string("tls.session_lifetime"),
          std::string("tickets.slot")}) {
      if (!sources_.Has(field_path)) continue;
      if (warned_lifetimes_.insert(field_path).second) {
        Warn(field_path, Concat("sessions end after ", FormatDuration(2 * config_.tickets.slot),
                                " at most, two of tickets.slot, and not after ",
                                FormatDuration(tls.session_lifetime)));
      }
      return;
    }
  }

  // Checks that what the host asks for can be had in the modes of the listeners that serve it.
  void CheckStages(const VirtualHost& host, const std::string& path) {
    bool http = false;
    size_t tcp = config_.listeners.size();
    for (size_t i = config_.listeners.size(); i-- > 0;) {
      if (!Contains(config_.listeners[i].hosts, host.name)) continue;
      if (config_.listeners[i].mode == StageMode::kTcp) {
        tcp = i;
      } else {
        http = true;
      }
    }
    if (tcp == config_.listeners.size()) {
      WarnWithoutEffect(FieldPath(path, "tls"), {"alpn"}, kHttpAlpn);
      return;
    }
    const std::string refusal_path = FieldPath(path, "client_auth.refusal");
    if (host.client_auth.refusal == Refusal::kHttp && sources_.Has(refusal_path)) {
      Error(refusal_path,
            Concat("'http' on a host of ", Place(ItemPath("listeners", tcp)),
                   ", which is in mode tcp"),
            "alert", "without HTTP there is no page to refuse with");
    }
    if (host.client_auth.mode == AuthMode::kOptionalNoCa) {
      Warn(FieldPath(path, "client_auth.mode"),
           Concat("lets everyone in on ", Place(ItemPath("listeners", tcp)),
                  ", whose mode is tcp: nothing tells the backend who has no CA's word"));
    }
    if (http) return;
    WarnWithoutEffect(path,
                      {"identity", "forwarding", "server_tokens", "client_auth.pass_certificate",
                       "client_auth.explain_refusals"},
                      "only tcp listeners serve this host");
  }

  void CheckAddresses() {
    struct Taken {
      Address address;
      std::string owner;
    };
    std::vector<Taken> taken;
    const auto check = [&](const std::string& text, const std::string& owner) {
      const absl::StatusOr<Address> address = ParseListenAddress(text);
      if (!address.ok()) return;
      for (const Taken& other : taken) {
        if (!AddressesOverlap(*address, other.address)) continue;
        Error(FieldPath(owner, "address"),
              Concat(Quoted(text), ", which overlaps with the address of ", Place(other.owner)),
              "an address of its own");
        return;
      }
      taken.push_back({*address, owner});
    };
    for (size_t i = 0; i < config_.listeners.size(); ++i) {
      check(config_.listeners[i].address, ItemPath("listeners", i));
    }
    check(config_.admin.address, "admin");
  }

  // One listener cannot choose between two hosts of the same server name.
  void CheckServerNames(const NameIndex& hosts) {
    std::set<std::string> reported;
    for (size_t i = 0; i < config_.listeners.size(); ++i) {
      std::map<std::string_view, std::string> owners;
      for (const std::string& host_name : config_.listeners[i].hosts) {
        const auto it = hosts.find(host_name);
        if (it == hosts.end()) continue;
        const std::string host_path = ItemPath("virtual_hosts", it->second);
        const std::vector<std::string>& names = config_.virtual_hosts[it->second].server_names;
        for (size_t j = 0; j < names.size(); ++j) {
          std::string path = ItemPath(FieldPath(host_path, "server_names"), j);
          const auto [owner, is_new] = owners.try_emplace(names[j], host_path);
          if (is_new || owner->second == host_path || !reported.insert(path).second) continue;
          Error(
              path, Concat(Quoted(names[j]), ", a server name of ", Place(owner->second), " too"),
              Concat("each server name once among the hosts of ", Place(ItemPath("listeners", i))));
        }
      }
    }
  }

  void CheckLimits() {
    const std::string path = "limits.max_handshakes";
    if (sources_.Has(path) && config_.limits.max_handshakes > config_.limits.max_connections) {
      Warn(path, Concat("has no effect: max_connections is ", config_.limits.max_connections));
    }
  }

  void ReportUnused() {
    std::set<std::string_view> hosts, trusts, backends;
    for (const Listener& listener : config_.listeners) {
      hosts.insert(listener.hosts.begin(), listener.hosts.end());
    }
    for (const VirtualHost& host : config_.virtual_hosts) {
      trusts.insert(host.client_auth.trust);
      backends.insert(host.backend);
    }
    WarnUnused(config_.virtual_hosts, "virtual_hosts", hosts, "listener");
    WarnUnused(config_.trusts, "trusts", trusts, "virtual host");
    WarnUnused(config_.backends, "backends", backends, "virtual host");
  }

  template <typename T>
  void WarnUnused(const std::vector<T>& definitions, std::string_view section,
                  const std::set<std::string_view>& used, std::string_view user) {
    for (size_t i = 0; i < definitions.size(); ++i) {
      if (definitions[i].name.empty() || used.contains(definitions[i].name)) continue;
      Warn(ItemPath(section, i), Concat("no ", user, " uses ", Quoted(definitions[i].name)));
    }
  }

  const Config& config_;
  const SourceMap& sources_;
  Diagnostics& diagnostics_;
  std::set<std::string> warned_lifetimes_;
};

}  // namespace

void ApplyDefaults(Config& config, const SourceMap& sources) {
  for (size_t i = 0; i < config.listeners.size(); ++i) {
    Listener& listener = config.listeners[i];
    if (!sources.Has(FieldPath(ItemPath("listeners", i), "hosts"))) {
      for (const VirtualHost& host : config.virtual_hosts) {
        // A name that is taken is an error of its own, and not one of the listener's.
        if (!host.name.empty() && !Contains(listener.hosts, host.name))
          listener.hosts.push_back(host.name);
      }
    }
    if (listener.default_host.empty() && !listener.hosts.empty()) {
      listener.default_host = listener.hosts.front();
    }
  }
  for (size_t i = 0; i < config.virtual_hosts.size(); ++i) {
    VirtualHost& host = config.virtual_hosts[i];
    if (sources.Has(FieldPath(ItemPath("virtual_hosts", i), "client_auth.refusal"))) continue;
    bool tcp = false;
    bool http = false;
    for (const Listener& listener : config.listeners) {
      if (!Contains(listener.hosts, host.name)) continue;
      (listener.mode == StageMode::kTcp ? tcp : http) = true;
    }
    if (tcp && !http) host.client_auth.refusal = Refusal::kAlert;
  }
}

void Validate(const Config& config, const SourceMap& sources, Diagnostics& diagnostics) {
  Validator(config, sources, diagnostics).Run();
}

}  // namespace portcullis::config
