#include "tls/ocsp_response.h"

#include <algorithm>

namespace portcullis::tls {
namespace {

// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
constexpr uint8_t kBasic[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};

constexpr int64_t kClockSkew = 300;
constexpr int64_t kUnsaidLifetime = 3600;

constexpr CBS_ASN1_TAG Context(unsigned number) { return CBS_ASN1_CONTEXT_SPECIFIC | number; }
constexpr CBS_ASN1_TAG Constructed(unsigned number) {
  return Context(number) | CBS_ASN1_CONSTRUCTED;
}

OcspFault StatusFault(uint8_t status) {
  switch (status) {
    case 0:
      return {};
    case 1:
      return "the responder calls the request malformed";
    case 2:
      return "the responder has an internal error";
    case 3:
      return "the responder says to try later";
    case 5:
      return "the responder wants a signed request";
    case 6:
      return "the responder does not serve us";
    default:
      return "the responder's status is not known";
  }
}

// Extensions of a response or of an answer: none is understood here that could be critical.
bool HasNoCritical(CBS extensions) {
  CBS list;
  if (CBS_get_asn1(&extensions, &list, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&extensions) != 0) {
    return false;
  }
  while (CBS_len(&list) != 0) {
    DerExtension extension;
    if (!ReadExtension(list, extension) || extension.critical) return false;
  }
  return true;
}

// Optional extensions under an explicit tag, which end what they are in.
bool ReadLastExtensions(CBS& in) {
  if (CBS_len(&in) == 0) return true;
  CBS extensions;
  return CBS_get_asn1(&in, &extensions, Constructed(1)) == 1 && CBS_len(&in) == 0 &&
         HasNoCritical(extensions);
}

bool ReadResponderId(CBS& in, OcspResponse& response) {
  CBS content;
  CBS id;
  if (CBS_peek_asn1_tag(&in, Constructed(1)) != 0) {
    if (CBS_get_asn1(&in, &content, Constructed(1)) != 1 ||
        CBS_get_asn1_element(&content, &id, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&content) != 0) {
      return false;
    }
    response.responder_name = ToBytes(id);
    return true;
  }
  if (CBS_get_asn1(&in, &content, Constructed(2)) != 1 ||
      CBS_get_asn1(&content, &id, CBS_ASN1_OCTETSTRING) != 1 || CBS_len(&content) != 0 ||
      CBS_len(&id) == 0) {
    return false;
  }
  response.responder_key = ToBytes(id);
  return true;
}

bool ReadData(CBS tbs, OcspResponse& response) {
  CBS body;
  if (CBS_get_asn1(&tbs, &body, CBS_ASN1_SEQUENCE) != 1) return false;
  uint64_t version = 0;
  CBS singles;
  if (CBS_get_optional_asn1_uint64(&body, &version, Constructed(0), 0) != 1 || version != 0 ||
      !ReadResponderId(body, response) || !ReadGeneralizedTime(body, response.produced_at) ||
      CBS_get_asn1(&body, &singles, CBS_ASN1_SEQUENCE) != 1 || !ReadLastExtensions(body)) {
    return false;
  }
  response.singles = ToBytes(singles);
  return true;
}

OcspFault ReadBasic(CBS in, OcspResponse& response) {
  CBS basic;
  CBS tbs;
  CBS algorithm;
  CBS bits;
  uint8_t unused_bits = 0;
  if (CBS_get_asn1(&in, &basic, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0 ||
      CBS_get_asn1_element(&basic, &tbs, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1_element(&basic, &algorithm, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&basic, &bits, CBS_ASN1_BITSTRING) != 1 ||
      CBS_get_u8(&bits, &unused_bits) != 1 || unused_bits != 0) {
    return "not a BasicOCSPResponse";
  }
  response.tbs = ToBytes(tbs);
  response.signature_algorithm = ToBytes(algorithm);
  response.signature = ToBytes(bits);
  if (CBS_len(&basic) != 0) {
    CBS wrapped;
    CBS certificates;
    if (CBS_get_asn1(&basic, &wrapped, Constructed(0)) != 1 || CBS_len(&basic) != 0 ||
        CBS_get_asn1(&wrapped, &certificates, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&wrapped) != 0) {
      return "its certificates are malformed";
    }
    response.certificates = ToBytes(certificates);
  }
  return ReadData(tbs, response) ? "" : "its data are malformed or say something critical";
}

// CertStatus.
bool ReadStatus(CBS& in, OcspAnswer& answer) {
  CBS content;
  CBS_ASN1_TAG tag = 0;
  if (CBS_get_any_asn1(&in, &content, &tag) != 1) return false;
  if (tag == Context(0) || tag == Context(2)) {
    answer.status = tag == Context(0) ? OcspStatus::kGood : OcspStatus::kUnknown;
    return CBS_len(&content) == 0;
  }
  if (tag != Constructed(1)) return false;
  answer.status = OcspStatus::kRevoked;
  if (!ReadGeneralizedTime(content, answer.revoked_at)) return false;
  if (CBS_len(&content) == 0) return true;
  CBS wrapped;
  CBS reason;
  uint8_t code = 0;
  if (CBS_get_asn1(&content, &wrapped, Constructed(0)) != 1 || CBS_len(&content) != 0 ||
      CBS_get_asn1(&wrapped, &reason, CBS_ASN1_ENUMERATED) != 1 || CBS_len(&wrapped) != 0 ||
      CBS_get_u8(&reason, &code) != 1 || CBS_len(&reason) != 0) {
    return false;
  }
  answer.reason = code;
  return true;
}

bool ReadSingle(CBS& in, Bytes& cert_id, OcspAnswer& answer) {
  CBS single;
  CBS id;
  if (CBS_get_asn1(&in, &single, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&single, &id, CBS_ASN1_SEQUENCE) != 1 || !ReadStatus(single, answer) ||
      !ReadGeneralizedTime(single, answer.this_update)) {
    return false;
  }
  cert_id = ToBytes(id);
  if (CBS_peek_asn1_tag(&single, Constructed(0)) != 0) {
    CBS wrapped;
    if (CBS_get_asn1(&single, &wrapped, Constructed(0)) != 1 ||
        !ReadGeneralizedTime(wrapped, answer.next_update) || CBS_len(&wrapped) != 0) {
      return false;
    }
  }
  return ReadLastExtensions(single);
}

}  // namespace

OcspFault ParseOcspResponse(Bytes der, OcspResponse& response) {
  response = {};
  CBS in = ToCbs(der);
  CBS outer;
  CBS status;
  uint8_t code = 0;
  if (CBS_get_asn1(&in, &outer, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0 ||
      CBS_get_asn1(&outer, &status, CBS_ASN1_ENUMERATED) != 1 || CBS_get_u8(&status, &code) != 1 ||
      CBS_len(&status) != 0) {
    return "not a DER OCSPResponse";
  }
  if (const OcspFault fault = StatusFault(code); !fault.empty()) return fault;
  CBS wrapped;
  CBS bytes;
  CBS type;
  CBS basic;
  if (CBS_get_asn1(&outer, &wrapped, Constructed(0)) != 1 || CBS_len(&outer) != 0 ||
      CBS_get_asn1(&wrapped, &bytes, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&wrapped) != 0 ||
      CBS_get_asn1(&bytes, &type, CBS_ASN1_OBJECT) != 1 ||
      CBS_get_asn1(&bytes, &basic, CBS_ASN1_OCTETSTRING) != 1 || CBS_len(&bytes) != 0) {
    return "not a DER OCSPResponse";
  }
  if (!Equal(ToBytes(type), kBasic)) return "its type is not basic";
  return ReadBasic(basic, response);
}

std::string_view OcspStatusName(OcspStatus status) {
  switch (status) {
    case OcspStatus::kGood:
      return "good";
    case OcspStatus::kRevoked:
      return "revoked";
    case OcspStatus::kUnknown:
      break;
  }
  return "unknown";
}

OcspFault FindOcspAnswer(const OcspResponse& response, const OcspCertId& id, OcspAnswer& answer) {
  bool found = false;
  CBS in = ToCbs(response.singles);
  while (CBS_len(&in) != 0) {
    Bytes cert_id;
    OcspAnswer one;
    if (!ReadSingle(in, cert_id, one))
      return "an answer in it is malformed or says something critical";
    if (!id.Matches(cert_id)) continue;
    if (!found || one.this_update > answer.this_update) answer = one;
    found = true;
  }
  return found ? "" : "it is about another certificate";
}

int64_t OcspFreshUntil(const OcspAnswer& answer, int64_t now) {
  if (answer.this_update > now + kClockSkew) return 0;
  const int64_t until =
      answer.next_update != 0 ? answer.next_update : answer.this_update + kUnsaidLifetime;
  return until < now ? 0 : until;
}

}  // namespace portcullis::tls
