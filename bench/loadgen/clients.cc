#include "bench/loadgen/clients.h"

#include <openssl/pool.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

#include "io/check.h"
#include "tls/pem.h"

namespace portcullis::bench {
namespace {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.good()) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return text.str();
}

// Whether a connection will be able to use it, which is not the place to find out.
bool GoTogether(const Credential& credential) {
  const bssl::UniquePtr<SSL_CTX> trial(SSL_CTX_new(TLS_with_buffers_method()));
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& each : credential.chain) chain.push_back(each.get());
  return SSL_CTX_set_chain_and_key(trial.get(), chain.data(), chain.size(), credential.key.get(),
                                   nullptr) == 1;
}

absl::StatusOr<Credential> ReadPair(const std::string& certificate_path,
                                    const std::string& key_path) {
  const absl::StatusOr<std::string> certificate_pem = ReadFile(certificate_path);
  if (!certificate_pem.ok()) return certificate_pem.status();
  const absl::StatusOr<std::string> key_pem = ReadFile(key_path);
  if (!key_pem.ok()) return key_pem.status();
  const absl::StatusOr<std::vector<tls::Der>> chain =
      tls::ReadPem(*certificate_pem, tls::PemKind::kCertificate, certificate_path);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = tls::ReadPrivateKey(*key_pem, key_path);
  if (!key.ok()) return key.status();
  Credential credential;
  credential.key = *std::move(key);
  for (const tls::Der& der : *chain)
    credential.chain.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
  if (!GoTogether(credential)) {
    return tls::LibraryError(
        certificate_path,
        absl::StrCat("its first certificate does not go with the key in ", key_path));
  }
  return credential;
}

absl::Status ReadFolder(const std::string& folder, std::vector<Client>& out) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".crt") names.push_back(entry.path().string());
  }
  if (error) return absl::NotFoundError(absl::StrCat(folder, ": ", error.message()));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string key = std::filesystem::path(name).replace_extension(".key").string();
    absl::StatusOr<Credential> pair = ReadPair(name, key);
    if (!pair.ok()) return pair.status();
    out.emplace_back().credential = *std::move(pair);
  }
  if (out.empty()) return absl::NotFoundError(absl::StrCat(folder, " holds no NAME.crt"));
  return absl::OkStatus();
}

}  // namespace

ShareDrawer::ShareDrawer(std::vector<uint32_t> ppm) : ppm_(std::move(ppm)) {
  // Each starts elsewhere, so that equal shares do not come due all at once.
  for (size_t i = 0; i < ppm_.size(); ++i)
    owed_.push_back(kWhole / (ppm_.size() + 1) * (ppm_.size() - i));
}

size_t ShareDrawer::Draw() {
  size_t most = ppm_.size();
  for (size_t i = 0; i < ppm_.size(); ++i) {
    owed_[i] += ppm_[i];
    if (owed_[i] >= kWhole && ppm_[i] != 0 && (most == ppm_.size() || owed_[i] > owed_[most]))
      most = i;
  }
  if (most != ppm_.size()) owed_[most] -= kWhole;
  return most;
}

absl::StatusOr<Issuers> MakeIssuers(const Options& options) {
  Issuers issuers;
  const bool writes =
      !options.write_ca.empty() || !options.write_crl.empty() || !options.write_issuer.empty();
  if (!options.issuer.empty()) {
    const absl::StatusOr<std::string> pem = ReadFile(options.issuer);
    if (!pem.ok()) return pem.status();
    absl::StatusOr<std::unique_ptr<Issuer>> issuer =
        Issuer::Read(*pem, options.issuer, options.key_kind);
    if (!issuer.ok()) return issuer.status();
    issuers.population = *std::move(issuer);
  } else if (options.population != 0 || writes) {
    absl::StatusOr<std::unique_ptr<Issuer>> issuer = Issuer::Make("Load", options.key_kind);
    if (!issuer.ok()) return issuer.status();
    issuers.population = *std::move(issuer);
  }
  if (options.bad_ppm[static_cast<size_t>(BadKind::kWrongCa)] != 0) {
    absl::StatusOr<std::unique_ptr<Issuer>> issuer = Issuer::Make("Stranger", options.key_kind);
    if (!issuer.ok()) return issuer.status();
    issuers.stranger = *std::move(issuer);
  }
  return issuers;
}

Clients::Clients(const Options& options, const Issuers& issuers)
    : options_(options),
      issuers_(issuers),
      bad_draw_(std::vector<uint32_t>(options.bad_ppm.begin(), options.bad_ppm.end())),
      resume_draw_({options.resume_ppm}) {}

absl::StatusOr<std::unique_ptr<Clients>> Clients::Create(const Options& options,
                                                         const Issuers& issuers, uint32_t thread,
                                                         const std::atomic<bool>& off) {
  std::unique_ptr<Clients> clients(new Clients(options, issuers));
  if (absl::Status status = clients->LoadGood(thread, off); !status.ok()) return status;
  for (size_t kind = 0; kind < kNumBadKinds; ++kind) {
    if (options.bad_ppm[kind] == 0) continue;
    if (absl::Status status = clients->LoadBad(static_cast<BadKind>(kind)); !status.ok())
      return status;
  }
  return clients;
}

absl::Status Clients::LoadGood(uint32_t thread, const std::atomic<bool>& off) {
  if (!options_.client_folder.empty()) return ReadFolder(options_.client_folder, good_);
  if (options_.population != 0) {
    // Threads share the population out among themselves, a run of indexes each.
    const auto first_of = [this](uint64_t each) {
      return options_.population * each / options_.threads;
    };
    first_index_ = first_of(thread);
    const uint64_t share = first_of(thread + 1) - first_index_;
    good_.resize(share);
    for (uint64_t i = 0; options_.sign_at_start && i < share; ++i) {
      if (off) return absl::CancelledError("the run was called off while clients were signed");
      if (!Ensure(good_[i], first_index_ + i)) return absl::InternalError("cannot sign a client");
    }
    return absl::OkStatus();
  }
  Client& only = good_.emplace_back();
  if (options_.certificate.empty()) return absl::OkStatus();
  absl::StatusOr<Credential> pair = ReadPair(options_.certificate, options_.key);
  if (!pair.ok()) return pair.status();
  only.credential = *std::move(pair);
  return absl::OkStatus();
}

absl::Status Clients::LoadBad(BadKind kind) {
  const Issuer* const issuer =
      kind == BadKind::kWrongCa ? issuers_.stranger.get() : issuers_.population.get();
  const uint64_t count = kind == BadKind::kNoCertificate ? 1 : Issuer::kRevokedClients;
  for (uint64_t i = 0; i < count; ++i) {
    Client& client = bad_[static_cast<size_t>(kind)].emplace_back();
    client.bad = kind;
    if (kind == BadKind::kNoCertificate) continue;
    CHECK(issuer != nullptr, "no CA for bad clients");
    absl::StatusOr<Credential> made = issuer->Sign(
        {.index = i, .expired = kind == BadKind::kExpired, .revoked = kind == BadKind::kRevoked});
    if (!made.ok()) return made.status();
    client.credential = *std::move(made);
  }
  return absl::OkStatus();
}

// Signs a client of the population if that has not been done.
bool Clients::Ensure(Client& client, uint64_t index) const {
  if (client.credential.key != nullptr) return true;
  absl::StatusOr<Credential> made = issuers_.population->Sign({.index = index});
  if (!made.ok()) return false;
  client.credential = *std::move(made);
  return true;
}

Client* Clients::Next(bool& resume) {
  resume = false;
  if (const size_t kind = bad_draw_.Draw(); kind < kNumBadKinds) {
    std::vector<Client>& bad = bad_[kind];
    Client& client = bad[next_bad_[kind]];
    next_bad_[kind] = (next_bad_[kind] + 1) % bad.size();
    return &client;
  }
  resume = resume_draw_.Draw() == 0;
  Client& client = good_[next_good_];
  const uint64_t index = first_index_ + next_good_;
  next_good_ = (next_good_ + 1) % good_.size();
  return options_.population == 0 || Ensure(client, index) ? &client : nullptr;
}

}  // namespace portcullis::bench
