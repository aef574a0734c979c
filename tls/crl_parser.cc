#include "tls/crl_parser.h"

namespace portcullis::tls {
namespace {

// Content octets of the extensions known here, all of them id-ce: 2.5.29.x.
constexpr uint8_t kIdCe[] = {0x55, 0x1d};
constexpr uint8_t kCrlNumber = 20;
constexpr uint8_t kReasonCode = 21;
constexpr uint8_t kInvalidityDate = 24;
constexpr uint8_t kDeltaCrlIndicator = 27;
constexpr uint8_t kIssuingDistributionPoint = 28;
constexpr uint8_t kCertificateIssuer = 29;
constexpr uint8_t kAuthorityKeyIdentifier = 35;
constexpr uint8_t kUnknown = 0;

// Beyond the 20 octets of RFC 5280 4.1.2.2, which are not always kept to; within what an index
// stores.
constexpr size_t kMaxSerialBytes = 64;

constexpr CBS_ASN1_TAG Context(unsigned number) { return CBS_ASN1_CONTEXT_SPECIFIC | number; }
constexpr CBS_ASN1_TAG Constructed(unsigned number) {
  return Context(number) | CBS_ASN1_CONSTRUCTED;
}

uint8_t IdCe(Bytes oid) {
  return oid.size() == 3 && oid[0] == kIdCe[0] && oid[1] == kIdCe[1] ? oid[2] : kUnknown;
}

Bytes WithoutZeros(Bytes number) {
  while (!number.empty() && number.front() == 0) number = number.subspan(1);
  return number;
}

// A non-negative INTEGER that is the whole of `value`.
bool ReadNumber(Bytes value, Bytes& number) {
  CBS in = ToCbs(value);
  CBS content;
  if (CBS_get_asn1(&in, &content, CBS_ASN1_INTEGER) != 1 || CBS_len(&in) != 0 ||
      CBS_is_unsigned_asn1_integer(&content) != 1) {
    return false;
  }
  number = WithoutZeros(ToBytes(content));
  return true;
}

bool ReadKeyId(Bytes value, Bytes& key_id) {
  CBS in = ToCbs(value);
  CBS sequence;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0) return false;
  CBS id;
  int present = 0;
  if (CBS_peek_asn1_tag(&sequence, Context(0)) != 0) {
    present = CBS_get_asn1(&sequence, &id, Context(0));
    if (present != 1) return false;
    key_id = ToBytes(id);
  }
  return true;
}

bool ReadFlag(CBS& in, unsigned number, bool& flag) {
  if (CBS_peek_asn1_tag(&in, Context(number)) == 0) return true;
  CBS content;
  uint8_t value = 0;
  if (CBS_get_asn1(&in, &content, Context(number)) != 1 || CBS_get_u8(&content, &value) != 1 ||
      CBS_len(&content) != 0 || (value != 0 && value != 0xff)) {
    return false;
  }
  flag = value != 0;
  return true;
}

bool ReadReasons(CBS& in, CrlScope& scope) {
  if (CBS_peek_asn1_tag(&in, Context(3)) == 0) return true;
  CBS content;
  if (CBS_get_asn1(&in, &content, Context(3)) != 1 || CBS_is_valid_asn1_bitstring(&content) != 1) {
    return false;
  }
  scope.some_reasons = true;
  for (unsigned bit = 0; bit <= 8; ++bit) {
    if (CBS_asn1_bitstring_has_bit(&content, bit) == 1) {
      scope.reasons = static_cast<uint16_t>(scope.reasons | 1U << bit);
    }
  }
  return true;
}

bool ReadPointName(CBS& in, CrlScope& scope) {
  if (CBS_peek_asn1_tag(&in, Constructed(0)) == 0) return true;
  CBS choice;
  CBS name;
  if (CBS_get_asn1(&in, &choice, Constructed(0)) != 1) return false;
  const bool is_full = CBS_peek_asn1_tag(&choice, Constructed(0)) != 0;
  if (CBS_get_asn1(&choice, &name, Constructed(is_full ? 0 : 1)) != 1 || CBS_len(&choice) != 0 ||
      CBS_len(&name) == 0) {
    return false;
  }
  (is_full ? scope.full_name : scope.relative_name) = ToBytes(name);
  return true;
}

bool ReadScope(Bytes value, CrlScope& scope) {
  CBS in = ToCbs(value);
  CBS sequence;
  return CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) == 1 && CBS_len(&in) == 0 &&
         ReadPointName(sequence, scope) && ReadFlag(sequence, 1, scope.only_user) &&
         ReadFlag(sequence, 2, scope.only_ca) && ReadReasons(sequence, scope) &&
         ReadFlag(sequence, 4, scope.indirect) && ReadFlag(sequence, 5, scope.only_attribute) &&
         CBS_len(&sequence) == 0;
}

CrlFault ReadCrlExtension(const DerExtension& extension, Crl& crl) {
  switch (IdCe(extension.oid)) {
    case kCrlNumber:
      crl.has_number = true;
      return ReadNumber(extension.value, crl.number) ? "" : "cRLNumber is malformed";
    case kDeltaCrlIndicator:
      crl.is_delta = true;
      return ReadNumber(extension.value, crl.base_number) ? "" : "deltaCRLIndicator is malformed";
    case kIssuingDistributionPoint:
      crl.scope_der = extension.value;
      return ReadScope(extension.value, crl.scope) ? "" : "issuingDistributionPoint is malformed";
    case kAuthorityKeyIdentifier:
      // Critical or not, it is heeded.
      return ReadKeyId(extension.value, crl.authority_key_id)
                 ? ""
                 : "authorityKeyIdentifier is malformed";
    default:
      crl.unknown_critical = crl.unknown_critical || extension.critical;
      return {};
  }
}

// Extensions are few; each may occur once (RFC 5280 4.2).
CrlFault ReadCrlExtensions(CBS extensions, Crl& crl) {
  uint64_t seen = 0;
  while (CBS_len(&extensions) != 0) {
    DerExtension extension;
    if (!ReadExtension(extensions, extension)) return "an extension is malformed";
    const uint8_t known = IdCe(extension.oid);
    if (known != kUnknown && known < 64) {
      if ((seen >> known & 1) != 0) return "an extension occurs twice";
      seen |= uint64_t{1} << known;
    }
    if (const CrlFault fault = ReadCrlExtension(extension, crl); !fault.empty()) return fault;
  }
  return {};
}

// revokedCertificates and crlExtensions, both optional, end tbsCertList.
CrlFault ReadLists(CBS& tbs, bool is_v2, Crl& crl) {
  if (CBS_peek_asn1_tag(&tbs, CBS_ASN1_SEQUENCE) != 0) {
    CBS entries;
    if (CBS_get_asn1(&tbs, &entries, CBS_ASN1_SEQUENCE) != 1) return "its entries are malformed";
    crl.entries = ToBytes(entries);
  }
  if (CBS_len(&tbs) == 0) return {};
  CBS wrapped;
  CBS extensions;
  if (!is_v2 || CBS_get_asn1(&tbs, &wrapped, Constructed(0)) != 1 ||
      CBS_get_asn1(&wrapped, &extensions, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&wrapped) != 0 ||
      CBS_len(&tbs) != 0) {
    return "its extensions are malformed";
  }
  return ReadCrlExtensions(extensions, crl);
}

CrlFault ReadTbs(CBS tbs, Crl& crl) {
  CBS body;
  if (CBS_get_asn1(&tbs, &body, CBS_ASN1_SEQUENCE) != 1) return "tbsCertList is malformed";
  bool is_v2 = false;
  if (CBS_peek_asn1_tag(&body, CBS_ASN1_INTEGER) != 0) {
    uint64_t version = 0;
    if (CBS_get_asn1_uint64(&body, &version) != 1 || version != 1) return "its version is not 2";
    is_v2 = true;
  }
  CBS algorithm;
  CBS issuer;
  if (CBS_get_asn1_element(&body, &algorithm, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1_element(&body, &issuer, CBS_ASN1_SEQUENCE) != 1) {
    return "its algorithm or issuer is malformed";
  }
  if (!Equal(ToBytes(algorithm), crl.signature_algorithm)) {
    return "the signature algorithms inside and outside differ";
  }
  crl.issuer = ToBytes(issuer);
  if (!ReadTime(body, crl.this_update)) return "thisUpdate is malformed";
  if (AtTime(body) && !ReadTime(body, crl.next_update)) return "nextUpdate is malformed";
  return ReadLists(body, is_v2, crl);
}

bool ReadReason(Bytes value, int& reason) {
  CBS in = ToCbs(value);
  CBS content;
  uint8_t code = 0;
  if (CBS_get_asn1(&in, &content, CBS_ASN1_ENUMERATED) != 1 || CBS_len(&in) != 0 ||
      CBS_get_u8(&content, &code) != 1 || CBS_len(&content) != 0) {
    return false;
  }
  reason = code;
  return true;
}

bool ReadGeneralNames(Bytes value, Bytes& names) {
  CBS in = ToCbs(value);
  CBS sequence;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0 ||
      CBS_len(&sequence) == 0) {
    return false;
  }
  names = ToBytes(sequence);
  return true;
}

CrlFault ReadEntryExtensions(CBS extensions, CrlEntry& entry) {
  while (CBS_len(&extensions) != 0) {
    DerExtension extension;
    if (!ReadExtension(extensions, extension)) return "an entry's extension is malformed";
    switch (IdCe(extension.oid)) {
      case kReasonCode:
        if (!ReadReason(extension.value, entry.reason)) return "an entry's reason is malformed";
        break;
      case kCertificateIssuer:
        if (!ReadGeneralNames(extension.value, entry.certificate_issuer)) {
          return "an entry's issuer is malformed";
        }
        break;
      case kInvalidityDate:
        break;  // Since when the key is suspect: revoked is revoked.
      default:
        entry.unknown_critical = entry.unknown_critical || extension.critical;
    }
  }
  return {};
}

CrlFault ReadEntry(CBS& in, CrlEntry& entry) {
  CBS sequence;
  CBS serial;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&sequence, &serial, CBS_ASN1_INTEGER) != 1 || CBS_len(&serial) == 0 ||
      CBS_len(&serial) > kMaxSerialBytes || !ReadTime(sequence, entry.revoked_at)) {
    return "an entry is malformed";
  }
  entry.serial = ToBytes(serial);
  if (CBS_len(&sequence) == 0) return {};
  CBS extensions;
  if (CBS_get_asn1(&sequence, &extensions, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&sequence) != 0) {
    return "an entry is malformed";
  }
  return ReadEntryExtensions(extensions, entry);
}

}  // namespace

CrlFault ParseCrl(Bytes der, Crl& crl) {
  crl = {};
  CBS in = ToCbs(der);
  CBS list;
  CBS tbs;
  CBS algorithm;
  CBS bits;
  uint8_t unused_bits = 0;
  if (CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE) != 1) return "not a DER SEQUENCE";
  if (CBS_len(&in) != 0) return "something follows it";
  if (CBS_get_asn1_element(&list, &tbs, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1_element(&list, &algorithm, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&list, &bits, CBS_ASN1_BITSTRING) != 1 || CBS_len(&list) != 0 ||
      CBS_get_u8(&bits, &unused_bits) != 1 || unused_bits != 0) {
    return "not a CertificateList";
  }
  crl.tbs = ToBytes(tbs);
  crl.signature_algorithm = ToBytes(algorithm);
  crl.signature = ToBytes(bits);
  return ReadTbs(tbs, crl);
}

bool CrlEntries::Next(CrlEntry& entry) {
  if (CBS_len(&rest_) == 0 || !fault_.empty()) return false;
  entry = {};
  fault_ = ReadEntry(rest_, entry);
  return fault_.empty();
}

}  // namespace portcullis::tls
