// CRLs for tests, byte by byte: as odd as a test needs them, and with a million entries where it
// does. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/tls/test_pki.h"

namespace portcullis::tls::testing {

using Octets = std::vector<uint8_t>;

// Der wraps content in a tag of one octet.
[[nodiscard]] Octets Tlv(uint8_t tag, const Octets& content);
[[nodiscard]] Octets Join(const std::vector<Octets>& parts);
// ExtensionOf makes an Extension of id-ce 2.5.29.`id`.
[[nodiscard]] Octets ExtensionOf(uint8_t id, bool critical, const Octets& value);
[[nodiscard]] Octets UriName(const std::string& uri);  // a GeneralName
[[nodiscard]] Octets TimeOf(int64_t seconds);          // UTCTime or GeneralizedTime, with tag

struct EntrySpec {
  Octets serial;  // content octets
  int64_t revoked_at = kNow - kHour;
  int reason = -1;
  Octets extensions = {};  // further Extensions
};

enum class CrlSignature : uint8_t { kUsual, kSha1, kSha384, kPss256, kPss512, kDamaged };

struct CrlSpec {
  int64_t this_update = kNow - kDay;
  int64_t next_update = kNow + 30 * kDay;  // 0: none
  int number = -1;                         // -1: no cRLNumber
  int base_number = -1;                    // >= 0: a delta
  std::vector<EntrySpec> entries = {};
  Octets scope = {};       // content of issuingDistributionPoint's SEQUENCE
  bool has_scope = false;  // ... is there even when empty
  Octets extensions = {};  // further Extensions
  bool key_id = false;     // authorityKeyIdentifier of the issuer
  CrlSignature signature = CrlSignature::kUsual;
  bool other_inner_algorithm = false;
  bool v1 = false;
};

// AlgorithmOf and SignatureOf are what follows the signed part of anything signed: an
// AlgorithmIdentifier and a BIT STRING.
[[nodiscard]] Octets AlgorithmOf(const TestCertificate& signer, CrlSignature kind);
[[nodiscard]] Octets SignatureOf(const TestCertificate& signer, CrlSignature kind,
                                 const Octets& message);

// MakeCrl returns the DER of a CRL by `issuer`.
[[nodiscard]] std::string MakeCrl(const TestCertificate& issuer, const CrlSpec& spec);
// WithEntries returns the entries for small serial numbers.
[[nodiscard]] std::vector<EntrySpec> Entries(std::initializer_list<uint8_t> serials);
// AsPem wraps a CRL's DER.
[[nodiscard]] std::string AsPem(const std::string& der);

}  // namespace portcullis::tls::testing
