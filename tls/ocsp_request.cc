#include "tls/ocsp_request.h"

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/x509v3.h>

#include "absl/strings/match.h"

namespace portcullis::tls {
namespace {

bool AddOctets(CBB* out, const Sha1& digest) {
  return CBB_add_asn1_octet_string(out, digest.data(), digest.size()) == 1;
}

bool AddCertId(CBB* out, const OcspCertId& id) {
  CBB sequence;
  CBB algorithm;
  CBB oid;
  CBB null;
  CBB serial;
  return CBB_add_asn1(out, &sequence, CBS_ASN1_SEQUENCE) == 1 &&
         CBB_add_asn1(&sequence, &algorithm, CBS_ASN1_SEQUENCE) == 1 &&
         CBB_add_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) == 1 &&
         CBB_add_bytes(&oid, kSha1Oid, sizeof(kSha1Oid)) == 1 &&
         CBB_add_asn1(&algorithm, &null, CBS_ASN1_NULL) == 1 && CBB_flush(&sequence) == 1 &&
         AddOctets(&sequence, id.name_sha1()) && AddOctets(&sequence, id.key_sha1()) &&
         CBB_add_asn1(&sequence, &serial, CBS_ASN1_INTEGER) == 1 &&
         CBB_add_bytes(&serial, id.serial().data(), id.serial().size()) == 1 && CBB_flush(out) == 1;
}

}  // namespace

std::vector<uint8_t> MakeOcspRequest(const OcspCertId& id) {
  bssl::ScopedCBB out;
  CBB request;
  CBB tbs;
  CBB list;
  CBB single;
  uint8_t* der = nullptr;
  size_t size = 0;
  if (id.serial().empty() || CBB_init(out.get(), 128) != 1 ||
      CBB_add_asn1(out.get(), &request, CBS_ASN1_SEQUENCE) != 1 ||
      CBB_add_asn1(&request, &tbs, CBS_ASN1_SEQUENCE) != 1 ||
      CBB_add_asn1(&tbs, &list, CBS_ASN1_SEQUENCE) != 1 ||
      CBB_add_asn1(&list, &single, CBS_ASN1_SEQUENCE) != 1 || !AddCertId(&single, id) ||
      CBB_finish(out.get(), &der, &size) != 1) {
    ERR_clear_error();
    return {};
  }
  const bssl::UniquePtr<uint8_t> owner(der);
  return {der, der + size};
}

std::string OcspResponderUrl(const X509* certificate) {
  const bssl::UniquePtr<AUTHORITY_INFO_ACCESS> access(static_cast<AUTHORITY_INFO_ACCESS*>(
      X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr)));
  std::string url;
  for (size_t i = 0; i < sk_ACCESS_DESCRIPTION_num(access.get()) && url.empty(); ++i) {
    const ACCESS_DESCRIPTION* const one = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    if (OBJ_obj2nid(one->method) != NID_ad_OCSP || one->location->type != GEN_URI) continue;
    const ASN1_IA5STRING* const uri = one->location->d.uniformResourceIdentifier;
    url.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
               static_cast<size_t>(ASN1_STRING_length(uri)));
    if (!absl::StartsWithIgnoreCase(url, "http://")) url.clear();
  }
  ERR_clear_error();
  return url;
}

}  // namespace portcullis::tls
