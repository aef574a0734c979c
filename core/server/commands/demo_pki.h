// DemoPki: throw-away certificates for `portcullis demo`, made in process and gone with it.
//
// EC P-256 throughout, valid for a week. The authorities' private keys sign and are forgotten: they
// never leave MakeDemoPki, so nobody can mint a further certificate. Not for production, and not a
// test PKI: it makes good certificates only, plus one client of an authority that nobody trusts.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "core/server/commands/scratch_folder.h"

namespace portcullis::server {

// A certificate and its private key (PKCS #8), both PEM.
struct PemPair {
  std::string certificate;
  std::string key;
};

struct DemoPki {
  std::string ca;    // the authority of server and client, PEM
  PemPair server;    // localhost, demo.localhost, 127.0.0.1, ::1
  PemPair client;    // CN=Demo Client
  PemPair stranger;  // CN=Demo Stranger, of another authority
};

// Where WriteDemoPki puts things, relative to the folder. server and trust look like mounted
// Kubernetes Secrets.
inline constexpr char kDemoServerFolder[] = "server";  // tls.crt, tls.key
inline constexpr char kDemoTrustFolder[] = "trust";    // ca.crt
inline constexpr char kDemoCa[] = "trust/ca.crt";
inline constexpr char kDemoClientCertificate[] = "client.crt";
inline constexpr char kDemoClientKey[] = "client.key";
inline constexpr char kDemoStrangerCertificate[] = "stranger.crt";
inline constexpr char kDemoStrangerKey[] = "stranger.key";

// MakeDemoPki makes all of it, valid from an hour before `now` (clocks differ) for seven days.
absl::StatusOr<DemoPki> MakeDemoPki(absl::Time now);

// WriteDemoPki stores `pki` in `folder` under the names above, each file mode 0600.
absl::Status WriteDemoPki(const DemoPki& pki, const ScratchFolder& folder);

}  // namespace portcullis::server
