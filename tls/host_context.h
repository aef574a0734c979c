// Making what a virtual host needs of the library: the base context that every connection of a
// table starts in, and one for each credential, which the ClientHello callback switches to. Control
// plane only.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/context_set.h"
#include "tls/host_table.h"
#include "tls/verifier_options.h"
#include "tls/verifier_set.h"

namespace portcullis::tls {

// MakeBaseContext makes the context connections start in: everything that the library takes from
// there for good (tickets, callbacks, limits), no credential.
[[nodiscard]] bssl::UniquePtr<SSL_CTX> MakeBaseContext(const HostTableOptions& options);

// MakeHostContexts fills `host`, whose `spec` is set, with all that can be made of it: contexts,
// verifier, versions, groups, epochs. What it can share with hosts before it comes from `verifiers`
// and `contexts`. Errors name the host, and the file where there is one.
absl::Status MakeHostContexts(Host& host, const HostTableOptions& options, VerifierSet& verifiers,
                              ContextSet& contexts);

// MakeVerifierOptions returns what clients of a host so specified are judged by, on a listener with
// these options.
[[nodiscard]] VerifierOptions MakeVerifierOptions(const ClientAuthSpec& spec,
                                                  const HostTableOptions& options);

// CheckCiphers is OK where the library understands the list, which MakeHostContexts requires.
absl::Status CheckCiphers(const std::string& ciphers);

// GroupList checks `groups` and joins them into the library's form; InvalidArgument names the one
// it does not know. Takes the names of RFC 8446 (secp256r1), of NIST (P-256) and of OpenSSL
// (prime256v1).
absl::StatusOr<std::string> GroupList(const std::vector<std::string>& groups);

}  // namespace portcullis::tls
