#include "bench/loadgen/issuer.h"

#include <ctime>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "bench/loadgen/certificate.h"
#include "tls/pem.h"

namespace portcullis::bench {
namespace {

constexpr int64_t kDay = 86'400;

int64_t Now() { return static_cast<int64_t>(std::time(nullptr)); }

absl::Status Failed(std::string_view what) { return tls::LibraryError("generated clients", what); }

CertificateSpec CaSpec(std::string name) {
  return {.common_name = std::move(name),
          .serial = RandomSerial(),
          .not_before = Now() - 30 * kDay,
          .not_after = Now() + 730 * kDay,
          .is_ca = true};
}

bssl::UniquePtr<X509> ToX509(const tls::Der& der) {
  const uint8_t* data = der.data();
  return bssl::UniquePtr<X509>(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
}

bool IsSelfIssued(const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

}  // namespace

// What is the same whether the CA was made or read.
absl::Status Issuer::Prepare(KeyKind leaf_kind) {
  leaf_kind_ = leaf_kind;
  for (const auto& certificate : rest_) rest_der_.push_back(ToBuffer(certificate.get()));
  if (leaf_kind != KeyKind::kP256) {
    shared_key_ = MakeKey(leaf_kind);
    if (shared_key_ == nullptr) return Failed("RSA key");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Issuer>> Issuer::Make(const std::string& name, KeyKind kind) {
  std::unique_ptr<Issuer> issuer(new Issuer());
  Authority& root = issuer->root_;
  Authority& signer = issuer->signer_;
  root.key = MakeKey(kind);
  signer.key = MakeKey(kind);
  if (root.key == nullptr || signer.key == nullptr) return Failed("CA key");
  root.certificate =
      MakeCertificate(CaSpec(name + " Root"), root.key.get(), nullptr, root.key.get());
  if (root.certificate == nullptr) return Failed("root");
  signer.certificate = MakeCertificate(CaSpec(name + " Intermediate"), signer.key.get(),
                                       root.certificate.get(), root.key.get());
  if (signer.certificate == nullptr) return Failed("intermediate");
  issuer->rest_.push_back(bssl::UpRef(signer.certificate));
  if (absl::Status status = issuer->Prepare(kind); !status.ok()) return status;
  return issuer;
}

absl::StatusOr<std::unique_ptr<Issuer>> Issuer::Read(const std::string& pem,
                                                     const std::string& origin, KeyKind leaf_kind) {
  absl::StatusOr<std::vector<tls::Der>> certificates =
      tls::ReadPem(pem, tls::PemKind::kCertificate, origin);
  if (!certificates.ok()) return certificates.status();
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = tls::ReadPrivateKey(pem, origin);
  if (!key.ok()) return key.status();
  std::unique_ptr<Issuer> issuer(new Issuer());
  issuer->signer_ = {.certificate = ToX509(certificates->front()), .key = *std::move(key)};
  X509* const signer = issuer->signer_.certificate.get();
  if (signer == nullptr) return tls::LibraryError(origin, "certificate");
  if (X509_check_private_key(signer, issuer->signer_.key.get()) != 1)
    return tls::LibraryError(origin, "the key is not that of the first certificate");
  // A root is the server's to have; an intermediate goes with every leaf, and so does the rest.
  if (!IsSelfIssued(signer)) issuer->rest_.push_back(bssl::UpRef(issuer->signer_.certificate));
  for (size_t i = 1; i < certificates->size(); ++i) {
    bssl::UniquePtr<X509> certificate = ToX509((*certificates)[i]);
    if (certificate == nullptr) return tls::LibraryError(origin, "certificate");
    if (IsSelfIssued(certificate.get())) {
      issuer->root_.certificate = std::move(certificate);
    } else {
      issuer->rest_.push_back(std::move(certificate));
    }
  }
  if (absl::Status status = issuer->Prepare(leaf_kind); !status.ok()) return status;
  return issuer;
}

absl::StatusOr<Credential> Issuer::Sign(const LeafSpec& leaf) const {
  const char* const kind = leaf.expired ? "expired-" : leaf.revoked ? "revoked-" : "client-";
  CertificateSpec spec{.common_name = absl::StrCat(kind, leaf.index),
                       .serial = leaf.revoked ? RevokedSerial(leaf.index) : RandomSerial(),
                       .not_before = Now() - 10 * kDay,
                       .not_after = leaf.expired ? Now() - kDay : Now() + 30 * kDay};
  Credential made;
  made.key = shared_key_ != nullptr ? bssl::UpRef(shared_key_) : MakeKey(leaf_kind_);
  if (made.key == nullptr) return Failed("key");
  const bssl::UniquePtr<X509> certificate =
      MakeCertificate(spec, made.key.get(), signer_.certificate.get(), signer_.key.get());
  if (certificate == nullptr) return Failed(spec.common_name);
  made.chain.push_back(ToBuffer(certificate.get()));
  for (const auto& each : rest_der_) made.chain.push_back(bssl::UpRef(each));
  return made;
}

std::string Issuer::CaPem() const {
  if (root_.certificate != nullptr) return ToPem(root_.certificate.get());
  if (IsSelfIssued(signer_.certificate.get())) return ToPem(signer_.certificate.get());
  std::string pem;
  for (const auto& each : rest_) pem += ToPem(each.get());
  return pem;
}

absl::StatusOr<std::string> Issuer::CrlPem() const {
  std::vector<Serial> revoked;
  for (uint64_t i = 0; i < kRevokedClients; ++i) revoked.push_back(RevokedSerial(i));
  const bssl::UniquePtr<X509_CRL> ours =
      MakeCrl(signer_.certificate.get(), signer_.key.get(), revoked, Now());
  if (ours == nullptr) return Failed("CRL");
  std::string pem = ToPem(ours.get());
  if (root_.key != nullptr) {
    const bssl::UniquePtr<X509_CRL> of_root =
        MakeCrl(root_.certificate.get(), root_.key.get(), {}, Now());
    if (of_root == nullptr) return Failed("CRL of the root");
    pem += ToPem(of_root.get());
  }
  return pem;
}

absl::StatusOr<std::string> Issuer::IssuerPem() const {
  std::string pem = ToPem(signer_.certificate.get());
  for (const auto& each : rest_) {
    if (each.get() != signer_.certificate.get()) pem += ToPem(each.get());
  }
  if (root_.certificate != nullptr) pem += ToPem(root_.certificate.get());
  const std::string key = ToPem(signer_.key.get());
  if (key.empty()) return Failed("key to PEM");
  return pem + key;
}

}  // namespace portcullis::bench
