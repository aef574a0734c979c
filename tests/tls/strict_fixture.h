// What the tests of the strict profile share: a path that is in order in every respect, of which
// they alter one certificate. One thread.
#pragma once

#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"
#include "tls/strict_profile.h"

namespace portcullis::tls::testing {

using Alter = std::function<void(X509*)>;
using ByteVector = std::vector<uint8_t>;

inline constexpr size_t kLeafDepth = 0;
inline constexpr size_t kCaDepth = 1;
inline constexpr size_t kRootDepth = 2;

inline void DropExtension(X509* certificate, int nid) {
  const int at = X509_get_ext_by_NID(certificate, nid, -1);
  if (at >= 0) X509_EXTENSION_free(X509_delete_ext(certificate, at));
}

inline void AddRawExtension(X509* certificate, int nid, bool critical, const ByteVector& value) {
  const bssl::UniquePtr<ASN1_OCTET_STRING> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size()));
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509_EXTENSION_create_by_NID(nullptr, nid, critical ? 1 : 0, octets.get()));
  EXPECT_EQ(X509_add_ext(certificate, extension.get(), -1), 1);
}

// Alterations: an extension in place of the one of its type.
inline Alter Drop(int nid) {
  return [nid](X509* certificate) { DropExtension(certificate, nid); };
}
inline Alter Raw(int nid, bool critical, ByteVector value) {
  return [nid, critical, value = std::move(value)](X509* certificate) {
    DropExtension(certificate, nid);
    AddRawExtension(certificate, nid, critical, value);
  };
}
// `value` as in openssl.cnf.
inline Alter Text(int nid, std::string value) {
  return [nid, value = std::move(value)](X509* certificate) {
    DropExtension(certificate, nid);
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const bssl::UniquePtr<X509_EXTENSION> extension(
        X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
    ASSERT_NE(extension, nullptr) << value;
    EXPECT_EQ(X509_add_ext(certificate, extension.get(), -1), 1);
  };
}
// The extension as it is, but critical or not.
inline Alter Critical(int nid, bool critical) {
  return [nid, critical](X509* certificate) {
    const int at = X509_get_ext_by_NID(certificate, nid, -1);
    ASSERT_GE(at, 0);
    EXPECT_EQ(X509_EXTENSION_set_critical(X509_get_ext(certificate, at), critical ? 1 : 0), 1);
  };
}

// What CheckStrict finds in a path, leaf first.
inline PathFault CheckStrictOf(std::initializer_list<const TestCertificate*> path) {
  const bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  for (const TestCertificate* const certificate : path) {
    EXPECT_TRUE(bssl::PushToStack(stack.get(), bssl::UpRef(certificate->x509())));
  }
  return CheckStrict(stack.get());
}

class StrictTest : public ::testing::Test {
 protected:
  StrictTest()
      : root_(MakeRoot({.common_name = "root", .key_usage = "critical,keyCertSign,cRLSign"})),
        ca_(MakeCa(root_, {.common_name = "ca", .key_usage = "critical,keyCertSign"})),
        leaf_(MakeLeaf(ca_, {.common_name = "client",
                             .key_usage = "critical,digitalSignature",
                             .extended_key_usage = "clientAuth",
                             .subject_alt_name = "DNS:client.example"})) {}

  // What CheckStrict finds in leaf_, ca_ and root_ once the one at `depth` is altered and signed
  // anew: the rule's text, "" for nothing. The fault must be at that depth.
  std::string FaultOf(size_t depth, const Alter& alter) {
    const std::vector<const TestCertificate*> all = {&leaf_, &ca_, &root_};
    const bssl::UniquePtr<X509> certificate(X509_dup(all[depth]->x509()));
    alter(certificate.get());
    EXPECT_GT(X509_sign(certificate.get(), all[depth == kRootDepth ? depth : depth + 1]->key(),
                        EVP_sha256()),
              0);
    uint8_t* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    const bssl::UniquePtr<uint8_t> owned(der);
    return FaultWith(depth, ByteVector(der, der + size));
  }

  // The same with `der` in the place of the one at `depth`.
  std::string FaultWith(size_t depth, const ByteVector& der) {
    const bssl::UniquePtr<STACK_OF(X509)> path(sk_X509_new_null());
    std::vector<ByteVector> all = {leaf_.Der(), ca_.Der(), root_.Der()};
    all[depth] = der;
    for (const ByteVector& each : all) {
      // As read from the wire: the library keeps what it thinks of an object.
      const uint8_t* in = each.data();
      bssl::UniquePtr<X509> reread(d2i_X509(nullptr, &in, static_cast<long>(each.size())));
      if (reread == nullptr) {
        ADD_FAILURE() << "no certificate to the library";
        return "";
      }
      EXPECT_TRUE(bssl::PushToStack(path.get(), std::move(reread)));
    }
    const PathFault fault = CheckStrict(path.get());
    EXPECT_EQ(fault.reason == Rejection::kNone, fault.detail.empty());
    if (!fault.detail.empty()) {
      EXPECT_EQ(fault.depth, depth) << fault.detail;
      reason_ = fault.reason;
    }
    return std::string(fault.detail);
  }

  const TestCertificate root_;
  const TestCertificate ca_;
  const TestCertificate leaf_;
  Rejection reason_ = Rejection::kNone;  // of the last fault
};

}  // namespace portcullis::tls::testing
