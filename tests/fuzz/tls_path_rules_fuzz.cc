// The rules of a path that need no signature, on paths that nobody signed: CheckNameConstraints and
// CheckStrict. A certificate begins with a byte, leaf first:
//
// - below 0x80: one whose names and extensions the input says, each behind its 16-bit length: the
//   content of the subject, then that of the extensions. The issuer is the next one's subject, or
//   its own where the byte is odd;
// - else a whole one, of 16-bit length.
//
// Rules must come to an end, say the same twice, and charge a certificate that there is.
#include <openssl/x509.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ranges>
#include <span>
#include <vector>

#include "tests/tls/crl_maker.h"
#include "tests/tls/test_pki.h"
#include "tls/name_constraints.h"
#include "tls/strict_profile.h"

namespace {

namespace testing = portcullis::tls::testing;
namespace tls = portcullis::tls;

using testing::Join;
using testing::Octets;
using testing::Tlv;

constexpr uint8_t kSequence = 0x30;
constexpr size_t kMaxCertificates = 10;

void Require(bool condition) {
  if (!condition) std::abort();
}

Octets Take(std::span<const uint8_t>& data) {
  if (data.size() < 2) {
    data = {};
    return {};
  }
  const size_t size = std::min(size_t{data[0]} << 8 | data[1], data.size() - 2);
  const Octets taken(data.begin() + 2, data.begin() + 2 + static_cast<ptrdiff_t>(size));
  data = data.subspan(2 + size);
  return taken;
}

// One certificate of the input: a whole one, or what is to become one.
struct Record {
  Octets whole;
  bool self_issued = false;
  Octets subject;     // Name
  Octets extensions;  // content
};

std::vector<Record> Read(std::span<const uint8_t> data) {
  std::vector<Record> records;
  while (!data.empty() && records.size() < kMaxCertificates) {
    const uint8_t kind = data.front();
    data = data.subspan(1);
    Record& record = records.emplace_back();
    if (kind >= 0x80) {
      record.whole = Take(data);
    } else {
      record.self_issued = (kind & 1) != 0;
      record.subject = Tlv(kSequence, Take(data));
      record.extensions = Take(data);
    }
  }
  return records;
}

Octets PublicKey() {
  static const auto* const kKey = new testing::TestCertificate(testing::MakeRoot({}));
  uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(kKey->x509()), &der);
  Require(size > 0);
  const Octets key(der, der + size);
  OPENSSL_free(der);
  return key;
}

Octets Encode(const Record& record, const Octets& issuer) {
  static const auto* const kKey = new Octets(PublicKey());
  static const auto* const kAlgorithm =
      new Octets{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
  static const auto* const kValidity = new Octets(
      Tlv(kSequence, Join({testing::TimeOf(testing::kNow), testing::TimeOf(testing::kNow + 1)})));
  const Octets extensions =
      record.extensions.empty() ? Octets() : Tlv(0xa3, Tlv(kSequence, record.extensions));
  return Tlv(kSequence, Join({Tlv(kSequence, Join({{0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x42},
                                                   *kAlgorithm,
                                                   issuer,
                                                   *kValidity,
                                                   record.subject,
                                                   *kKey,
                                                   extensions})),
                              *kAlgorithm,
                              {0x03, 0x02, 0x00, 0x2a}}));
}

bool SameFault(const tls::PathFault& one, const tls::PathFault& other) {
  return one.reason == other.reason && one.x509_error == other.x509_error &&
         one.depth == other.depth && one.detail == other.detail;
}

void Check(const tls::PathFault& fault, const tls::PathFault& again, size_t num_certificates) {
  Require(SameFault(fault, again));
  Require(fault.depth < num_certificates);
  Require(fault.reason == tls::Rejection::kNone || fault.x509_error != 0);
  Require(fault.reason != tls::Rejection::kInternal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<Record> records = Read({data, size});
  std::vector<bssl::UniquePtr<X509>> certificates;
  Octets issuer;
  for (const Record& record : std::views::reverse(records)) {  // the anchor first
    const Octets der =
        record.whole.empty()
            ? Encode(record, record.self_issued || issuer.empty() ? record.subject : issuer)
            : record.whole;
    const uint8_t* in = der.data();
    bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
    if (certificate == nullptr) continue;
    const uint8_t* name = nullptr;
    size_t name_size = 0;
    Require(X509_NAME_get0_der(X509_get_subject_name(certificate.get()), &name, &name_size) == 1);
    issuer.assign(name, name + name_size);
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) return 0;
  const bssl::UniquePtr<STACK_OF(X509)> path(sk_X509_new_null());
  for (auto& certificate : std::views::reverse(certificates)) {
    Require(bssl::PushToStack(path.get(), std::move(certificate)));
  }
  const size_t num_certificates = certificates.size();
  Check(tls::CheckNameConstraints(path.get()), tls::CheckNameConstraints(path.get()),
        num_certificates);
  Check(tls::CheckStrict(path.get()), tls::CheckStrict(path.get()), num_certificates);
  (void)tls::HasDnsConstraint(path.get());
  return 0;
}
