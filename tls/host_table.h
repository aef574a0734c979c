// HostTable: a worker's own view of the virtual hosts of one listener: TLS contexts by SNI, trust,
// ticket keys. Built by the supervisor from immutable HostSpecs, one table a worker and listener,
// then handed over: afterwards one thread only. Nothing in it is shared with another worker,
// reference counts included.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/client_status.h"
#include "tls/client_verifier.h"
#include "tls/credentials.h"
#include "tls/host_names.h"
#include "tls/policy.h"
#include "tls/ticket_keys.h"
#include "tls/verdict_cache.h"
#include "tls/verifier_options.h"
#include "tls/verifier_set.h"

namespace portcullis::tls {

enum class ClientAuthMode : uint8_t {
  kOff,
  kOptional,
  kOptionalNoCa,  // as kOptional, but kUnknownCa is forgiven: the verdict says so, nobody is
                  // refused
  kRequire,
};
enum class RefusalStyle : uint8_t { kAlert, kHttp };

// Names of the trust's CAs in CertificateRequest, which has room for 48 KiB of them.
enum class CaNames : uint8_t {
  kNone,
  kAuto,  // all of them, or none where they do not fit: clients take an excerpt for the whole
  kFit,   // as many as fit
};

struct ClientAuthSpec {
  ClientAuthMode mode = ClientAuthMode::kOff;
  RefusalStyle refusal = RefusalStyle::kAlert;
  std::shared_ptr<const TrustMaterial> trust = nullptr;  // required unless kOff
  std::shared_ptr<const Policy> policy = nullptr;  // null: everyone whom the trust vouches for
  uint32_t max_depth = 8;  // intermediates between leaf and anchor, both excluded
  Profile profile = Profile::kCompatible;
  bool intermediates_as_anchors = true;  // see VerifierOptions
  CaNames ca_names = CaNames::kAuto;
  // Live connections are closed when a reload or time takes away what their certificate stood on.
  bool close_on_change = true;
  // Sessions keep the leaf's DER, for hosts that pass the certificate on.
  bool keep_leaf = false;
};

struct HostSpec {
  std::string name;
  std::vector<std::string> server_names;    // exact or "*.suffix"; lower case, A-labels
  std::vector<CredentialSpec> credentials;  // at least one; RSA and ECDSA may both be there
  uint16_t min_version = TLS1_2_VERSION;
  uint16_t max_version = TLS1_3_VERSION;
  std::string ciphers;              // TLS 1.2 list in OpenSSL syntax; empty: the modern default
  std::vector<std::string> groups;  // names; empty: the default order
  std::vector<std::string> alpn;    // in order of preference; empty: ALPN is ignored
  bool tickets = true;
  uint32_t session_lifetime_s = 3600;
  ClientAuthSpec client_auth;
};

// A virtual host as the data path sees it.
struct Host {
  HostSpec const* spec = nullptr;
  uint32_t index = 0;  // position in the specs given to Build: the caller's key
  uint64_t epoch = 0;  // hash of everything that a resumed session must agree on
  // Hash of everything that decides which clients pass, 0 for all of them: whoever was let in by
  // one host may speak to another with the same. Equal in every process given the same
  // configuration.
  uint64_t policy_id = 0;
  std::vector<bssl::UniquePtr<SSL_CTX>> contexts;  // one a credential; shared with hosts alike
  std::vector<KeyKind> key_kinds;                  // of the credentials, in the same order
  std::vector<int64_t> staples_until;              // of their OCSP responses, where they have one
  std::vector<uint16_t> wire_versions;             // that it speaks, highest first
  std::array<uint8_t, 32>
      session_context{};  // SHA-256 over name and epoch: what a session may be resumed on
  std::string groups;     // list for the library; empty when it is the base context's
  ClientVerifier* verifier = nullptr;  // of the table's VerifierSet; null when client_auth is off
};

struct HostTableOptions {
  std::string default_host = {};  // name of the host for absent or unknown SNI
  bool refuse_unknown_sni =
      false;  // an SNI that matches nothing is refused (an absent one gets the default)
  uint32_t max_chain_bytes = 64 * 1024;
};

class HostTable {
 public:
  // Build makes contexts for every spec; `specs` must outlive the table, and so must `verifiers`,
  // where the listeners of a worker share theirs (null: the table has its own). Errors name host
  // and file.
  static absl::StatusOr<std::unique_ptr<HostTable>> Build(
      const std::vector<const HostSpec*>& specs, const HostTableOptions& options,
      std::shared_ptr<const TicketSecret> ticket_secret, VerifierSet* verifiers = nullptr);
  ~HostTable();
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  // Select returns the host for a name: exact, then the longest wildcard (one label), then the
  // default; null when the options refuse. Case-insensitive. An empty name is an absent SNI.
  [[nodiscard]] const Host* Select(std::string_view server_name) const;
  // FindByName is Select without the default: for the HTTP Host check.
  [[nodiscard]] const Host* FindByName(std::string_view server_name) const;

  // FindHost returns the virtual host called `name` in the configuration, null if there is none.
  [[nodiscard]] const Host* FindHost(std::string_view name) const;

  // SetNow sets the wall clock (seconds since the epoch) that judging, tickets and the library use.
  // The worker calls it once a turn; tests inject any time.
  void SetNow(int64_t unix_seconds) { now_ = unix_seconds; }
  [[nodiscard]] int64_t now() const { return now_; }

  // SetVerdictCache lends the table its worker's memory of clients; null, as at first: none. It
  // must outlive the table's use.
  void SetVerdictCache(VerdictCache* cache) { verdict_cache_ = cache; }
  [[nodiscard]] VerdictCache* verdict_cache() const { return verdict_cache_; }

  // SetKnownStatuses lends it what the worker has heard from OCSP responders, likewise.
  void SetKnownStatuses(const KnownStatuses* statuses) { known_statuses_ = statuses; }
  [[nodiscard]] const KnownStatuses* known_statuses() const { return known_statuses_; }

  [[nodiscard]] SSL_CTX* base_context() const { return base_.get(); }
  [[nodiscard]] TicketKeys& ticket_keys() { return ticket_keys_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }
  [[nodiscard]] const HostTableOptions& options() const { return options_; }

 private:
  HostTable(const HostTableOptions& options, std::shared_ptr<const TicketSecret> secret);

  [[nodiscard]] const Host* At(std::optional<uint32_t> position) const;

  HostTableOptions options_;
  TicketKeys ticket_keys_;
  std::unique_ptr<VerifierSet> own_verifiers_;  // null: lent
  VerdictCache* verdict_cache_ = nullptr;
  const KnownStatuses* known_statuses_ = nullptr;
  bssl::UniquePtr<SSL_CTX> base_;
  std::vector<std::unique_ptr<Host>> hosts_;
  HostNames names_;  // positions in hosts_
  int64_t now_ = 0;
};

}  // namespace portcullis::tls
