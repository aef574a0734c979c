#include "tls/verifier_set.h"

#include <tuple>
#include <utility>

namespace portcullis::tls {
namespace {

auto Parts(const VerifierOptions& options) {
  return std::tie(options.max_depth, options.max_chain_bytes, options.profile,
                  options.intermediates_as_anchors);
}

}  // namespace

VerifierSet::VerifierSet() = default;
VerifierSet::~VerifierSet() = default;

absl::StatusOr<ClientVerifier*> VerifierSet::Get(std::shared_ptr<const TrustMaterial> trust,
                                                 const VerifierOptions& options) {
  std::vector<ClientVerifier*>& known = by_trust_[trust.get()];
  for (ClientVerifier* const verifier : known) {
    if (Parts(verifier->options()) == Parts(options)) return verifier;
  }
  absl::StatusOr<std::unique_ptr<ClientVerifier>> made =
      ClientVerifier::Create(std::move(trust), options);
  if (!made.ok()) return made.status();
  verifiers_.push_back(*std::move(made));
  known.push_back(verifiers_.back().get());
  return verifiers_.back().get();
}

}  // namespace portcullis::tls
