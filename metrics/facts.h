// Facts: what the supervisor knows and no worker counts: the build, reloads, certificates and CRLs
// in force, start time. Set by the supervisor's thread, read by the admin threads; locked, and so
// not for workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace portcullis::metrics {

struct Build {
  std::string version;
  std::string commit;
  std::string boringssl;  // of the TLS library, as it calls itself
};

enum class CertificateKind : uint8_t { kServer, kCa };

struct CertificateFact {
  CertificateKind kind = CertificateKind::kServer;
  std::string name;           // of the virtual host or of the trust that uses it
  std::string subject;        // RFC 2253
  std::string serial;         // hex: tells apart what has the same name and subject
  int64_t not_after = 0;      // seconds since the epoch
  int64_t stapled_until = 0;  // until when its OCSP response is stapled; 0: there is none
};

struct CrlFact {
  std::string trust;        // the trust's name
  std::string issuer;       // RFC 2253
  int64_t next_update = 0;  // seconds since the epoch; 0: the CRL does not say, and is left out
};

// Clients seen shortly before a reload, by what its configuration makes of them.
struct DryRunFact {
  uint64_t accepted = 0;
  uint64_t refused = 0;
};

// A copy of everything at one moment.
struct FactsSnapshot {
  Build build;
  size_t num_workers = 0;
  int64_t start_time = 0;  // seconds since the epoch
  uint64_t reloads_ok = 0;
  uint64_t reloads_failed = 0;
  int64_t last_reload_success = 0;  // seconds since the epoch; the first load counts
  std::string last_reload_error;    // of the last reload, empty if it succeeded
  DryRunFact dry_run;               // of the last reload that got as far, taken or refused
  std::vector<CertificateFact> certificates;
  std::vector<CrlFact> crls;
};

class Facts {
 public:
  // `start_time` in seconds since the epoch.
  Facts(Build build, size_t num_workers, int64_t start_time);

  // RecordLoad notes that the config first loaded took effect at `now` (seconds since the epoch).
  void RecordLoad(int64_t now);
  // RecordReload counts a reload: `error` is empty when it took effect at `now`.
  void RecordReload(int64_t now, std::string error);

  // RecordDryRun notes what a reload, before it takes effect, would make of the clients seen
  // lately.
  void RecordDryRun(const DryRunFact& dry_run);

  // SetCertificates and SetCrls replace what is in force: what a reload dropped is gone from the
  // metrics too.
  void SetCertificates(std::vector<CertificateFact> certificates);
  void SetCrls(std::vector<CrlFact> crls);

  [[nodiscard]] FactsSnapshot Take() const;

 private:
  mutable std::mutex mutex_;
  FactsSnapshot facts_;  // guarded by mutex_
};

}  // namespace portcullis::metrics
