#include "tls/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

#include <algorithm>
#include <climits>

#include "absl/strings/str_cat.h"

#include "tls/absl_text.h"
#include "tls/check.h"

namespace portcullis::tls {
namespace {

// Far above any bundle of CAs or CRLs, and within what a BIO's length can say.
constexpr size_t kMaxPemBytes = size_t{1} << 30;
static_assert(kMaxPemBytes < INT_MAX);

bssl::UniquePtr<BIO> OpenText(std::string_view text) {
  TLS_CHECK(text.size() <= kMaxPemBytes);
  return bssl::UniquePtr<BIO>(
      BIO_new_mem_buf(text.data(), static_cast<int>(std::min(text.size(), kMaxPemBytes))));
}

bool IsOfKind(std::string_view label, PemKind kind) {
  switch (kind) {
    case PemKind::kCertificate:
      return label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD;
    case PemKind::kCrl:
      return label == PEM_STRING_X509_CRL;
  }
  return false;
}

bool AtEndOfBlocks() {
  const uint32_t error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int RefusePassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 0;
}

}  // namespace

absl::Status LibraryError(std::string_view origin, std::string_view what) {
  const uint32_t error = ERR_peek_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  absl::Status status = absl::InvalidArgumentError(
      absl::StrCat(AbslText(origin), ": ", AbslText(what), reason == nullptr ? "" : ": ",
                   reason == nullptr ? "" : reason));
  ERR_clear_error();
  return status;
}

absl::StatusOr<std::vector<Der>> ReadPem(std::string_view text, PemKind kind,
                                         std::string_view origin) {
  const std::string_view wanted = kind == PemKind::kCrl ? PEM_STRING_X509_CRL : PEM_STRING_X509;
  if (text.size() > kMaxPemBytes) {
    return absl::InvalidArgumentError(absl::StrCat(AbslText(origin), ": larger than 1 GiB"));
  }
  ERR_clear_error();
  const bssl::UniquePtr<BIO> bio = OpenText(text);
  std::vector<Der> blocks;
  size_t num_other = 0;
  while (true) {
    char* label = nullptr;
    char* header = nullptr;
    uint8_t* data = nullptr;
    long size = 0;  // NOLINT(google-runtime-int): the library's type.
    if (PEM_read_bio(bio.get(), &label, &header, &data, &size) != 1) {
      if (AtEndOfBlocks()) break;
      return LibraryError(origin,
                          absl::StrCat("PEM block ", blocks.size() + num_other + 1, " is damaged"));
    }
    const bssl::UniquePtr<char> free_label(label);
    const bssl::UniquePtr<char> free_header(header);
    const bssl::UniquePtr<uint8_t> free_data(data);
    if (IsOfKind(label, kind)) {
      blocks.emplace_back(data, data + size);
    } else {
      ++num_other;
    }
  }
  ERR_clear_error();
  if (blocks.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(AbslText(origin), ": no PEM block \"", AbslText(wanted),
                     "\" in it (a DER file? convert it with openssl)"));
  }
  return blocks;
}

absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> ReadPrivateKey(std::string_view text,
                                                         std::string_view origin) {
  if (text.size() > kMaxPemBytes) {
    return absl::InvalidArgumentError(absl::StrCat(AbslText(origin), ": larger than 1 GiB"));
  }
  ERR_clear_error();
  const bssl::UniquePtr<BIO> bio = OpenText(text);
  bool asked_for_password = false;
  bssl::UniquePtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassword, &asked_for_password));
  if (key != nullptr) return key;
  if (asked_for_password) {
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat(
        AbslText(origin), ": the private key is encrypted; store it without a password"));
  }
  if (AtEndOfBlocks()) {
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat(AbslText(origin), ": no PEM private key in it"));
  }
  return LibraryError(origin, "private key is unusable");
}

}  // namespace portcullis::tls
