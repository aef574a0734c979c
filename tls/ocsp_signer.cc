// VerifyOcspResponse: who signed a response, and whether they may (RFC 6960 4.2.2.2).
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/boringssl_compat.h"
#include "tls/identity.h"
#include "tls/name_canonical.h"
#include "tls/ocsp_response.h"
#include "tls/path_checks.h"
#include "tls/signature_check.h"

namespace portcullis::tls {
namespace {

// Responders send one certificate, some its chain.
constexpr int kMaxCertificates = 8;

bool IsResponder(const OcspResponse& response, const X509* certificate) {
  if (response.responder_name.empty()) {
    return Equal(response.responder_key, KeySha1(certificate));
  }
  const bssl::UniquePtr<X509_NAME> name = ParseName(response.responder_name);
  return name != nullptr && X509_NAME_cmp(name.get(), X509_get_subject_name(certificate)) == 0;
}

bool MaySignResponses(X509* certificate) {
  const uint32_t flags = X509_get_extension_flags(certificate);
  if ((flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0 || (flags & EXFLAG_XKUSAGE) == 0 ||
      (X509_get_extended_key_usage(certificate) & XKU_OCSP_SIGN) == 0) {
    return false;
  }
  return (flags & EXFLAG_KUSAGE) == 0 ||
         (X509_get_key_usage(certificate) &
          (X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_NON_REPUDIATION)) != 0;
}

OcspFault DelegateFault(X509* certificate, X509* issuer, int64_t at) {
  if (X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) != 0) {
    return "its responder's certificate is of another issuer";
  }
  const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(issuer);
  if (key == nullptr || IsWeakSignature(certificate) || X509_verify(certificate, key.get()) != 1) {
    return "the signature of its responder's certificate does not verify";
  }
  if (!MaySignResponses(certificate)) return "its responder may not sign OCSP responses";
  if (TimeValue(X509_get0_notBefore(certificate), INT64_MAX) > at ||
      TimeValue(X509_get0_notAfter(certificate), INT64_MIN) < at) {
    return "its responder's certificate is not valid";
  }
  return {};
}

OcspFault SignatureFault(const OcspResponse& response, X509* signer) {
  const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(signer);
  if (key == nullptr) return SignatureText(SignatureResult::kBad);
  const SignatureResult result =
      CheckSignature(response.signature_algorithm, response.tbs, response.signature, *key);
  return result == SignatureResult::kGood ? OcspFault() : SignatureText(result);
}

OcspFault DelegatedFault(const OcspResponse& response, X509* issuer, int64_t at) {
  OcspFault fault = "the certificate of its responder is not there";
  CBS in = ToCbs(response.certificates);
  for (int i = 0; i < kMaxCertificates && CBS_len(&in) != 0; ++i) {
    CBS der;
    if (CBS_get_asn1_element(&in, &der, CBS_ASN1_SEQUENCE) != 1) break;
    const uint8_t* data = CBS_data(&der);
    const bssl::UniquePtr<X509> certificate(
        d2i_X509(nullptr, &data, static_cast<long>(CBS_len(&der))));  // NOLINT(google-runtime-int)
    if (certificate == nullptr || !IsResponder(response, certificate.get())) continue;
    fault = DelegateFault(certificate.get(), issuer, at);
    if (fault.empty()) fault = SignatureFault(response, certificate.get());
    if (fault.empty()) break;
  }
  return fault;
}

}  // namespace

OcspFault VerifyOcspResponse(const OcspResponse& response, X509* issuer, int64_t at) {
  OcspFault fault;
  if (IsResponder(response, issuer)) fault = SignatureFault(response, issuer);
  const bool by_issuer = IsResponder(response, issuer) && fault.empty();
  // A delegate may have its issuer's name.
  if (!by_issuer && (fault.empty() || !response.certificates.empty())) {
    fault = DelegatedFault(response, issuer, at);
  }
  ERR_clear_error();
  return fault;
}

}  // namespace portcullis::tls
