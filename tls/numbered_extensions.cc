#include "tls/numbered_extensions.h"

#include <openssl/nid.h>
#include <openssl/obj.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "tls/check.h"

namespace portcullis::tls {
namespace {

// RFC 5280 4.2, those met most often first.
constexpr int kNumbers[] = {
    NID_basic_constraints,
    NID_key_usage,
    NID_ext_key_usage,
    NID_subject_key_identifier,
    NID_authority_key_identifier,
    NID_subject_alt_name,
    NID_crl_distribution_points,
    NID_info_access,
    NID_certificate_policies,
    NID_name_constraints,
    NID_policy_constraints,
    NID_policy_mappings,
    NID_inhibit_any_policy,
    NID_issuer_alt_name,
    NID_freshest_crl,
    NID_sinfo_access,
};

std::span<const uint8_t> Octets(const ASN1_OBJECT* object) {
  return {OBJ_get0_data(object), OBJ_length(object)};
}

}  // namespace

void NumberExtensions(X509* certificate) {
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* const extension = X509_get_ext(certificate, i);
    const std::span<const uint8_t> type = Octets(X509_EXTENSION_get_object(extension));
    for (const int number : kNumbers) {
      // A constant of the library's: no lock, nothing allocated, nothing that could fail.
      const ASN1_OBJECT* const own = OBJ_nid2obj(number);
      if (!std::ranges::equal(Octets(own), type)) continue;
      TLS_CHECK(X509_EXTENSION_set_object(extension, own) == 1);
      break;
    }
  }
}

}  // namespace portcullis::tls
