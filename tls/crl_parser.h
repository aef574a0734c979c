// A CRL (RFC 5280 section 5) read where it lies: the head into a struct, the entries one by one,
// nothing copied and nothing allocated for an entry, so that a million of them take a fraction of a
// second. Says what is written, not whether to believe it: the signature and the meaning are
// others' business. Any thread; what it returns borrows from the input.
#pragma once

#include <openssl/bytestring.h>

#include <cstdint>
#include <string_view>

#include "tls/der.h"

namespace portcullis::tls {

// Why a CRL does not parse: constant text, empty for one that does.
using CrlFault = std::string_view;

// issuingDistributionPoint (RFC 5280 5.2.5).
struct CrlScope {
  Bytes full_name;      // content of GeneralNames; empty without
  Bytes relative_name;  // content of nameRelativeToCRLIssuer; empty without
  bool only_user = false;
  bool only_ca = false;
  bool only_attribute = false;
  bool indirect = false;
  bool some_reasons = false;
  uint16_t reasons = 0;  // bit i: reason flag i (RFC 5280 4.2.1.13), where some_reasons
};

struct Crl {
  Bytes tbs;  // tbsCertList with its tag: what is signed
  Bytes
      signature_algorithm;  // AlgorithmIdentifier with its tag, as outside; equal to the one inside
  Bytes signature;          // octets of the BIT STRING
  Bytes issuer;             // Name with its tag
  int64_t this_update = 0;  // seconds since the epoch
  int64_t next_update = 0;  // 0: none said
  Bytes entries;            // content of revokedCertificates; empty without
  // Extensions.
  Bytes authority_key_id;  // keyIdentifier of the issuer; empty without
  Bytes number;            // cRLNumber without leading zeros
  bool has_number = false;
  Bytes base_number;  // deltaCRLIndicator, likewise
  bool is_delta = false;
  Bytes scope_der;  // value of issuingDistributionPoint; empty without
  CrlScope scope;
  bool unknown_critical = false;  // a critical extension that is not understood here
};

// ParseCrl reads all but the entries of one DER CRL without anything behind it.
[[nodiscard]] CrlFault ParseCrl(Bytes der, Crl& crl);

inline constexpr int kReasonUnsaid = -1;
inline constexpr int kReasonHold = 6;
inline constexpr int kReasonRemoveFromCrl = 8;

struct CrlEntry {
  Bytes serial;            // content octets of the INTEGER
  int64_t revoked_at = 0;  // seconds since the epoch
  int reason = kReasonUnsaid;
  bool unknown_critical = false;
  Bytes certificate_issuer;  // content of GeneralNames, where the entry says it; empty otherwise
};

// CrlEntries walks over Crl::entries.
class CrlEntries {
 public:
  explicit CrlEntries(const Crl& crl) : rest_(ToCbs(crl.entries)) {}

  // Next reads one entry into `entry`; false at the end and at a malformed one, which fault() tells
  // apart.
  [[nodiscard]] bool Next(CrlEntry& entry);
  [[nodiscard]] CrlFault fault() const { return fault_; }

 private:
  CBS rest_;
  CrlFault fault_;
};

}  // namespace portcullis::tls
