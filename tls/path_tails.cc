#include "tls/path_tails.h"

#include <openssl/nid.h>
#include <openssl/sha.h>

#include <algorithm>
#include <span>

#include "tls/issuer_id.h"

namespace portcullis::tls {
namespace {

Sha256 DigestOf(std::span<const uint8_t> bytes) {
  Sha256 digest;
  SHA256(bytes.data(), bytes.size(), digest.data());
  return digest;
}

// Over the digests of its certificates, which are of one length each: no two tails run together.
Sha256 DigestOf(PathSearch::Path tail) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const PathNode& node : tail) {
    const Sha256 one = DigestOf(node.der);
    SHA256_Update(&context, one.data(), one.size());
  }
  Sha256 digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

bool SpeaksOfLeaves(const PathNode& node) {
  constexpr int kKinds[] = {NID_name_constraints, NID_policy_constraints, NID_policy_mappings,
                            NID_inhibit_any_policy};
  return std::ranges::any_of(kKinds,
                             [&](int nid) { return X509_get_ext_by_NID(node.x509, nid, -1) >= 0; });
}

}  // namespace

bool PathTails::Knows(PathSearch::Path tail) const {
  return !tails_.empty() && tails_.contains(DigestOf(tail));
}

void PathTails::Remember(PathSearch::Path tail) {
  if (std::ranges::any_of(tail, SpeaksOfLeaves)) return;
  if (tails_.size() >= kMaxTails || certificates_.size() >= kMaxTails) {
    tails_.clear();
    certificates_.clear();
  }
  tails_.insert(DigestOf(tail));
  for (const PathNode& node : tail) {
    if (node.source == PathSource::kPresented) {
      Certificate& known = certificates_[DigestOf(node.der)];
      if (known.x509 != nullptr) continue;
      known = {bssl::UpRef(node.x509), SharedBytes(node.der), MakeIssuerId(node.x509)};
    }
  }
}

const PathTails::Certificate* PathTails::Find(const Sha256& sha256) const {
  const auto found = certificates_.find(sha256);
  return found == certificates_.end() ? nullptr : &found->second;
}

}  // namespace portcullis::tls
