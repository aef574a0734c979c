#include "core/server/commands/verify_command.h"

#include <openssl/pool.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

#include "core/server/commands/exit_codes.h"
#include "core/server/commands/text.h"
#include "core/server/commands/verify_report.h"
#include "tls/host_table.h"
#include "tls/identity.h"
#include "tls/pem.h"
#include "tls/x509_map.h"

namespace portcullis::server {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) {
    return absl::NotFoundError(Cat(path, ": cannot be read, or is empty"));
  }
  return std::move(content).str();
}

// Reads each file of `paths` and hands text and path to `take`.
template <typename Take>
absl::Status ReadFiles(const std::vector<std::string>& paths, Take take) {
  for (const std::string& path : paths) {
    absl::StatusOr<std::string> text = ReadFile(path);
    if (!text.ok()) return text.status();
    take(*std::move(text), path);
  }
  return absl::OkStatus();
}

tls::Profile ProfileOf(VerifyProfile profile) {
  return profile == VerifyProfile::kStrict ? tls::Profile::kStrict : tls::Profile::kCompatible;
}

tls::RevocationMode ModeOf(VerifyRevocation revocation) {
  switch (revocation) {
    case VerifyRevocation::kOff:
      return tls::RevocationMode::kOff;
    case VerifyRevocation::kSoft:
      return tls::RevocationMode::kSoft;
    case VerifyRevocation::kRequire:
      break;
  }
  return tls::RevocationMode::kRequire;
}

absl::StatusOr<std::shared_ptr<const tls::TrustMaterial>> ReadTrust(
    const VerifyArgs& args, const tls::RevocationSpec& revocation, int64_t now) {
  tls::TrustSources sources;
  const absl::Status cas =
      ReadFiles(args.trust_paths, [&](std::string text, const std::string& path) {
        sources.cas.push_back({std::move(text), path});
      });
  if (!cas.ok()) return cas;
  const absl::Status intermediates =
      ReadFiles(args.intermediate_paths, [&](std::string text, const std::string& path) {
        sources.intermediates.push_back({std::move(text), path});
      });
  if (!intermediates.ok()) return intermediates;
  const absl::Status crls =
      ReadFiles(args.crl_paths, [&](std::string bytes, const std::string& path) {
        sources.crls.push_back({std::move(bytes), path});
      });
  if (!crls.ok()) return crls;
  return tls::TrustMaterial::Parse("verify", sources, revocation, {}, now);
}

absl::StatusOr<HostJudge> MakeJudge(const VerifyArgs& args, const VerifyHooks& hooks, int64_t now) {
  HostJudge judge;
  // A listener has a bound, set or not; what it would not look at, neither do we.
  judge.options.max_chain_bytes = tls::HostTableOptions().max_chain_bytes;
  if (!args.policy.empty()) {
    const size_t hash = args.policy.rfind('#');
    absl::StatusOr<HostJudge> host =
        hooks.load_host(args.policy.substr(0, hash), args.policy.substr(hash + 1), now);
    if (!host.ok()) return host.status();
    judge = *std::move(host);
  }
  if (args.max_depth.has_value()) judge.options.max_depth = *args.max_depth;
  if (args.profile.has_value()) judge.options.profile = ProfileOf(*args.profile);
  tls::RevocationSpec revocation;
  if (judge.trust != nullptr) revocation = judge.trust->revocation_spec;
  if (args.revocation.has_value()) revocation.mode = ModeOf(*args.revocation);
  if (!args.trust_paths.empty()) {
    absl::StatusOr<std::shared_ptr<const tls::TrustMaterial>> trust =
        ReadTrust(args, revocation, now);
    if (!trust.ok()) return trust.status();
    judge.trust = *std::move(trust);
  } else if (args.revocation.has_value()) {
    auto trust = std::make_shared<tls::TrustMaterial>(*judge.trust);
    trust->revocation_spec = revocation;
    judge.trust = std::move(trust);
  }
  return judge;
}

// The chain as a client would send it: what is in the leaf's file, and behind it, in the order
// given, the untrusted ones.
absl::StatusOr<std::vector<tls::Der>> ReadChain(const VerifyArgs& args) {
  std::vector<tls::Der> chain;
  std::vector<std::string> paths = {args.leaf_path};
  paths.insert(paths.end(), args.untrusted_paths.begin(), args.untrusted_paths.end());
  for (const std::string& path : paths) {
    const absl::StatusOr<std::string> text = ReadFile(path);
    if (!text.ok()) return text.status();
    absl::StatusOr<std::vector<tls::Der>> certificates =
        tls::ReadPem(*text, tls::PemKind::kCertificate, path);
    if (!certificates.ok()) return certificates.status();
    for (tls::Der& der : *certificates) chain.push_back(std::move(der));
  }
  return chain;
}

// What the handshake does with a verdict: a host's policy has the last word.
void ApplyPolicy(const tls::Policy* policy, tls::Verdict& verdict) {
  if (policy == nullptr || !verdict.accepted()) return;
  const tls::Policy::Decision decision = policy->Evaluate(*verdict.identity);
  if (decision.allowed) return;
  verdict.rejection = tls::Rejection::kPolicyDenied;
  verdict.failed_depth = 0;
  verdict.failed_subject = verdict.identity->subject;
  verdict.detail = decision.rule.empty() ? "no rule allows it" : Cat("rule ", decision.rule);
}

// Certificates to trust, none of which is a CA's: they vouch for nobody.
VerifyReport RejectByTrust(const tls::Der& leaf, const absl::Status& why) {
  VerifyReport report;
  report.verdict.rejection = tls::Rejection::kUnknownCa;
  report.verdict.x509_error = tls::ToX509Error(tls::Rejection::kUnknownCa);
  report.verdict.detail = std::string(why.message());
  const uint8_t* in = leaf.data();
  const bssl::UniquePtr<X509> x509(d2i_X509(nullptr, &in, static_cast<long>(leaf.size())));
  if (x509 == nullptr) return report;
  report.verdict.identity = tls::MakeIdentity(x509.get(), leaf);
  report.verdict.failed_subject = report.verdict.identity->subject;
  return report;
}

absl::StatusOr<VerifyReport> Verify(const VerifyArgs& args, const VerifyHooks& hooks) {
  const int64_t now = args.time.value_or(absl::ToUnixSeconds(absl::Now()));
  const absl::StatusOr<std::vector<tls::Der>> chain = ReadChain(args);
  if (!chain.ok()) return chain.status();
  const absl::StatusOr<HostJudge> judge = MakeJudge(args, hooks, now);
  if (absl::IsFailedPrecondition(judge.status()))
    return RejectByTrust(chain->front(), judge.status());
  if (!judge.ok()) return judge.status();
  const absl::StatusOr<std::unique_ptr<tls::ClientVerifier>> verifier =
      tls::ClientVerifier::Create(judge->trust, judge->options);
  if (!verifier.ok()) return verifier.status();
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> buffers;
  std::vector<CRYPTO_BUFFER*> borrowed;
  for (const tls::Der& der : *chain) {
    buffers.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
    borrowed.push_back(buffers.back().get());
  }
  VerifyReport report;
  report.verdict = (*verifier)->Judge(borrowed, now, &report.path);
  ApplyPolicy(judge->policy.get(), report.verdict);
  return report;
}

void Print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

int VerifyMain(const VerifyArgs& args, const VerifyHooks& hooks) {
  const absl::StatusOr<VerifyReport> report = Verify(args, hooks);
  if (!report.ok()) {
    const std::string error(report.status().message());
    if (args.json) Print(stdout, UnknownJson(error));
    Print(stderr, Cat("portcullis: ", error, "\n"));
    return kExitUnknown;
  }
  const bool accepted = report->verdict.accepted();
  Print(stdout, args.json ? ReportJson(*report) : PathText(*report));
  if (!accepted || !args.json) {
    Print(accepted ? stdout : stderr, VerdictText(report->verdict));
  }
  return accepted ? kExitSuccess : kExitRejected;
}

}  // namespace portcullis::server
