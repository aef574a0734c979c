#include "tls/ocsp_staple.h"

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/x509.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "tls/absl_text.h"

namespace portcullis::tls {
namespace {

bssl::UniquePtr<X509> Parse(const CRYPTO_BUFFER* der) {
  const uint8_t* in = CRYPTO_BUFFER_data(der);
  return bssl::UniquePtr<X509>(
      d2i_X509(nullptr, &in, static_cast<long>(CRYPTO_BUFFER_len(der))));  // NOLINT
}

std::vector<uint8_t> SerialOf(const X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  uint8_t* der = nullptr;
  const int size = i2d_ASN1_INTEGER(serial, &der);
  const bssl::UniquePtr<uint8_t> owner(der);
  CBS in;
  CBS content;
  CBS_init(&in, der, size < 0 ? 0 : static_cast<size_t>(size));
  if (CBS_get_asn1(&in, &content, CBS_ASN1_INTEGER) != 1) return {};
  const Bytes bytes = ToBytes(content);
  return {bytes.begin(), bytes.end()};
}

// The issuer of the first certificate; null when the chain does not have it.
bssl::UniquePtr<X509> IssuerOf(X509* leaf, std::span<const bssl::UniquePtr<CRYPTO_BUFFER>> chain) {
  bssl::UniquePtr<X509> issuer = Parse(chain[chain.size() > 1 ? 1 : 0].get());
  if (issuer == nullptr ||
      X509_NAME_cmp(X509_get_subject_name(issuer.get()), X509_get_issuer_name(leaf)) != 0) {
    return nullptr;
  }
  return issuer;
}

}  // namespace

absl::StatusOr<OcspAnswer> CheckStaple(std::string_view response_der,
                                       std::span<const bssl::UniquePtr<CRYPTO_BUFFER>> chain,
                                       std::string_view origin) {
  const auto error = [origin](std::string_view what) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat(AbslText(origin), ": OCSP response: ", AbslText(what)));
  };
  const bssl::UniquePtr<X509> leaf = chain.empty() ? nullptr : Parse(chain.front().get());
  if (leaf == nullptr) return error("the certificate does not parse");
  const bssl::UniquePtr<X509> issuer = IssuerOf(leaf.get(), chain);
  if (issuer == nullptr) {
    return error("cannot be checked: the chain file lacks the certificate's issuer");
  }
  OcspResponse response;
  OcspAnswer answer;
  const Bytes der(reinterpret_cast<const uint8_t*>(response_der.data()), response_der.size());
  if (const OcspFault fault = ParseOcspResponse(der, response); !fault.empty()) return error(fault);
  const OcspCertId id(issuer.get(), SerialOf(leaf.get()));
  if (const OcspFault fault = FindOcspAnswer(response, id, answer); !fault.empty()) {
    return error(fault);
  }
  // An old response is odd rather than wrong: its responder was valid when it spoke.
  const OcspFault fault = VerifyOcspResponse(response, issuer.get(), answer.this_update);
  if (!fault.empty()) return error(fault);
  return answer;
}

int64_t StapleUntil(const OcspAnswer& answer) { return OcspFreshUntil(answer, answer.this_update); }

std::string StapleOddity(const OcspAnswer& answer, int64_t now) {
  if (answer.status != OcspStatus::kGood) {
    return absl::StrCat("says that the certificate is ", AbslText(OcspStatusName(answer.status)));
  }
  if (OcspFreshUntil(answer, now) != 0) return {};
  return answer.this_update > now ? "not valid yet" : "expired";
}

}  // namespace portcullis::tls
