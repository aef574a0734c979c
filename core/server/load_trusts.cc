#include "core/server/load_trusts.h"

#include <span>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/server/files.h"

namespace portcullis::server {
namespace {

constexpr std::string_view kCertificateSuffixes[] = {".pem", ".crt", ".cer"};
constexpr std::string_view kCrlSuffixes[] = {".crl", ".pem", ".der"};

// Reads files and folders of files into `sources`; whether all of it could be read.
template <typename Source, typename Make>
bool ReadAll(const std::vector<std::string>& paths, std::span<const std::string_view> suffixes,
             const config::Location& where, Problems& problems, std::vector<Source>& sources,
             Make make) {
  bool complete = true;
  for (const std::string& path : paths) {
    absl::StatusOr<std::vector<std::string>> files = FilesOf(path, suffixes, where);
    problems.Add(files.status());
    if (!files.ok()) {
      complete = false;
      continue;
    }
    for (const std::string& file : *files) {
      absl::StatusOr<std::string> bytes = ReadWholeFile(file, where);
      problems.Add(bytes.status());
      complete &= bytes.ok();
      if (bytes.ok()) sources.push_back(make(*std::move(bytes), file));
    }
  }
  return complete;
}

bool ReadSources(const config::Trust& trust, Problems& problems, tls::TrustSources& sources) {
  const auto pem = [](std::string text, const std::string& origin) {
    return tls::PemSource{.text = std::move(text), .origin = origin};
  };
  bool complete =
      ReadAll(trust.ca_paths, kCertificateSuffixes, trust.ca_where, problems, sources.cas, pem);
  complete &= ReadAll(trust.intermediate_paths, kCertificateSuffixes, trust.intermediates_where,
                      problems, sources.intermediates, pem);
  if (trust.revocation.mode != tls::RevocationMode::kOff) {
    const auto crl = [](std::string bytes, const std::string& origin) {
      return tls::CrlSource{.bytes = std::move(bytes), .origin = origin};
    };
    complete &=
        ReadAll(trust.crl_paths, kCrlSuffixes, trust.crl_where, problems, sources.crls, crl);
  }
  return complete;
}

void TellOfCas(const config::Trust& trust, const tls::TrustMaterial& material, Snapshot& snapshot) {
  for (const tls::CaSummary& ca : material.cas) {
    if (!ca.oddity.empty()) {
      snapshot.warnings.push_back(absl::StrCat(Place(trust.where), "trust '", trust.name, "': CA '",
                                               ca.subject, "' in ", ca.origin, ": ", ca.oddity));
    }
    if (!ca.not_after.has_value()) continue;  // nothing that could expire
    snapshot.certificates.push_back({.kind = metrics::CertificateKind::kCa,
                                     .name = trust.name,
                                     .subject = ca.subject,
                                     .serial = ca.serial_hex,
                                     .not_after = *ca.not_after});
  }
}

void TellOfCrls(const config::Trust& trust, const tls::TrustMaterial& material,
                Snapshot& snapshot) {
  for (const tls::CrlSummary& crl : material.revocation->summaries()) {
    if (!crl.oddity.empty()) {
      snapshot.warnings.push_back(absl::StrCat(Place(trust.where), "trust '", trust.name,
                                               "': CRL of '", crl.issuer, "' in ", crl.origin, ": ",
                                               crl.oddity));
    }
    // Of several of one issuer the metrics show the first that is due; stale ones above all.
    if (crl.is_in_use) {
      snapshot.crls.push_back(
          {.trust = trust.name, .issuer = crl.issuer, .next_update = crl.next_update});
    }
  }
}

// The trust in force, where it was made of the same and would be again; else null.
std::shared_ptr<const tls::TrustMaterial> Unchanged(const Snapshot* in_force,
                                                    const std::string& name,
                                                    const tls::Sha256& digest, int64_t now) {
  if (in_force == nullptr) return nullptr;
  const auto found = in_force->trusts.find(name);
  if (found == in_force->trusts.end() || in_force->trust_digests.at(name) != digest) return nullptr;
  const tls::TrustMaterial& material = *found->second;
  return material.same_from <= now && now <= material.same_until ? found->second : nullptr;
}

}  // namespace

void LoadTrusts(Snapshot& snapshot, const Snapshot* in_force, int64_t now, Problems& problems) {
  for (const config::Trust& trust : snapshot.config.trusts) {
    tls::TrustSources sources;
    if (!ReadSources(trust, problems, sources)) continue;
    const tls::OcspSpec ocsp{.mode = trust.ocsp.mode,
                             .responder_url = trust.ocsp.responder,
                             .timeout_ms = static_cast<uint32_t>(trust.ocsp.timeout.count())};
    const tls::Sha256 digest =
        tls::TrustMaterial::DigestOf(trust.name, sources, trust.revocation, ocsp);
    absl::StatusOr<std::shared_ptr<const tls::TrustMaterial>> material =
        Unchanged(in_force, trust.name, digest, now);
    if (*material == nullptr) {
      material = tls::TrustMaterial::Parse(trust.name, sources, trust.revocation, ocsp, now);
    }
    if (!material.ok()) {
      problems.Add(trust.where,
                   absl::StrCat("trust '", trust.name, "': ", material.status().message()));
      continue;
    }
    TellOfCas(trust, **material, snapshot);
    TellOfCrls(trust, **material, snapshot);
    snapshot.trusts[trust.name] = *std::move(material);
    snapshot.trust_digests[trust.name] = digest;
  }
}

}  // namespace portcullis::server
