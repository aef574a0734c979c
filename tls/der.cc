#include "tls/der.h"

#include <openssl/time.h>

#include <ctime>

namespace portcullis::tls {
namespace {

bool ToSeconds(const std::tm& time, int64_t& seconds) {
  return OPENSSL_tm_to_posix(&time, &seconds) == 1;
}

}  // namespace

bool ReadTime(CBS& in, int64_t& seconds) {
  if (CBS_peek_asn1_tag(&in, CBS_ASN1_UTCTIME) == 0) return ReadGeneralizedTime(in, seconds);
  CBS text;
  std::tm time = {};
  return CBS_get_asn1(&in, &text, CBS_ASN1_UTCTIME) == 1 &&
         CBS_parse_utc_time(&text, &time, /*allow_timezone_offset=*/0) == 1 &&
         ToSeconds(time, seconds);
}

bool ReadGeneralizedTime(CBS& in, int64_t& seconds) {
  CBS text;
  std::tm time = {};
  return CBS_get_asn1(&in, &text, CBS_ASN1_GENERALIZEDTIME) == 1 &&
         CBS_parse_generalized_time(&text, &time, /*allow_timezone_offset=*/0) == 1 &&
         ToSeconds(time, seconds);
}

bool AtTime(const CBS& in) {
  return CBS_peek_asn1_tag(&in, CBS_ASN1_UTCTIME) != 0 ||
         CBS_peek_asn1_tag(&in, CBS_ASN1_GENERALIZEDTIME) != 0;
}

bool ReadExtension(CBS& in, DerExtension& extension) {
  CBS sequence;
  CBS oid;
  CBS value;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&sequence, &oid, CBS_ASN1_OBJECT) != 1 || CBS_len(&oid) == 0) {
    return false;
  }
  int critical = 0;
  // An explicit FALSE is no DER, but is met, and says the same.
  if (CBS_peek_asn1_tag(&sequence, CBS_ASN1_BOOLEAN) != 0 &&
      CBS_get_asn1_bool(&sequence, &critical) != 1) {
    return false;
  }
  if (CBS_get_asn1(&sequence, &value, CBS_ASN1_OCTETSTRING) != 1 || CBS_len(&sequence) != 0) {
    return false;
  }
  extension = {.oid = ToBytes(oid), .critical = critical != 0, .value = ToBytes(value)};
  return true;
}

}  // namespace portcullis::tls
