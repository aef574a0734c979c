// VerifierSet: one ClientVerifier for each trust and set of options, shared by however many virtual
// hosts ask for the same. Owned by a worker's runtime, over all its listeners' HostTables, which it
// must outlive; built by the supervisor, then that worker's thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "tls/client_verifier.h"
#include "tls/trust_material.h"
#include "tls/verifier_options.h"

namespace portcullis::tls {

class VerifierSet {
 public:
  VerifierSet();
  ~VerifierSet();
  VerifierSet(const VerifierSet&) = delete;
  VerifierSet& operator=(const VerifierSet&) = delete;

  // Get returns the verifier for `trust` under `options`, making it at the first call. It lives as
  // long as the set. Errors are ClientVerifier::Create's.
  absl::StatusOr<ClientVerifier*> Get(std::shared_ptr<const TrustMaterial> trust,
                                      const VerifierOptions& options);

  [[nodiscard]] size_t size() const { return verifiers_.size(); }

 private:
  std::vector<std::unique_ptr<ClientVerifier>> verifiers_;
  // Few sets of options go with one trust.
  absl::flat_hash_map<const TrustMaterial*, std::vector<ClientVerifier*>> by_trust_;
};

}  // namespace portcullis::tls
