#include "tls/name_constraints.h"

#include <openssl/x509v3.h>

#include <string>

#include "gtest/gtest.h"

#include "tests/tls/verifier_fixture.h"

namespace portcullis::tls {
namespace {

using testing::Judge;
using testing::MakeCa;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::NameOf;
using testing::TestCertificate;

struct Case {
  std::string constraints;
  std::string names;
  int expected;  // X509_V_ERR_*
};

class NameConstraintsTest : public ::testing::Test {
 protected:
  static PathFault Check(std::initializer_list<const TestCertificate*> path) {
    const bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
    for (const TestCertificate* const certificate : path) {
      EXPECT_TRUE(bssl::PushToStack(stack.get(), bssl::UpRef(certificate->x509())));
    }
    return CheckNameConstraints(stack.get());
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root", .organization = "Acme"});
  const std::shared_ptr<const TrustMaterial> trust_ = MakeTrust({&root_});
};

// Each case by our own check, and through the verifier, where the library has its say too.
TEST_F(NameConstraintsTest, EveryFormIsBoundByTheConstraintsOnIt) {
  const int kPermitted = X509_V_ERR_PERMITTED_VIOLATION;
  const int kExcluded = X509_V_ERR_EXCLUDED_VIOLATION;
  const std::string net = "permitted;IP:10.1.0.0/255.255.0.0";
  const Case kCases[] = {
      {"permitted;DNS:a.example", "DNS:x.a.example", X509_V_OK},
      {"permitted;DNS:a.example", "DNS:x.b.example", kPermitted},
      {"permitted;DNS:a.example", "DNS:x.a.example,DNS:b.example", kPermitted},
      {"permitted;DNS:a.example,permitted;DNS:b.example", "DNS:x.b.example", X509_V_OK},
      {"excluded;DNS:a.example", "DNS:b.example", X509_V_OK},
      {"excluded;DNS:a.example", "DNS:x.a.example", kExcluded},
      {"permitted;DNS:example,excluded;DNS:a.example", "DNS:x.a.example", kExcluded},
      {"permitted;DNS:a.example", "URI:https://b.example/", X509_V_OK},  // another form
      {"permitted;email:a.example", "email:u@a.example", X509_V_OK},
      {"permitted;email:a.example", "email:u@b.example", kPermitted},
      {"excluded;email:a.example", "email:u@a.example", kExcluded},
      {"permitted;URI:td.example", "URI:spiffe://td.example/ns/a", X509_V_OK},
      {"permitted;URI:td.example", "URI:spiffe://other.example/ns/a", kPermitted},
      {"excluded;URI:td.example", "URI:spiffe://td.example/ns/a", kExcluded},
      {"permitted;URI:td.example", "URI:urn:x", X509_V_ERR_UNSUPPORTED_NAME_SYNTAX},
      {net, "IP:10.1.2.3", X509_V_OK},
      {net, "IP:10.2.2.3", kPermitted},
      {net, "IP:2001:db8::1", kPermitted},
      {"excluded;IP:10.1.0.0/255.255.0.0", "IP:10.1.2.3", kExcluded},
      {"excluded;IP:10.1.0.0/255.255.0.0", "IP:10.2.2.3", X509_V_OK},
      // The library stops at the address, and would let the other name through.
      {net + ",permitted;DNS:a.example", "IP:10.1.2.3,DNS:b.example", kPermitted},
      {net + ",permitted;DNS:a.example", "IP:10.1.2.3,DNS:a.example", X509_V_OK},
      {net + ",excluded;email:a.example", "IP:10.1.2.3,email:u@a.example", kExcluded},
      {"permitted;RID:1.2.3", "RID:1.2.3", X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE},
      {"permitted;RID:1.2.3", "DNS:a.example", X509_V_OK},
  };
  for (const Case& c : kCases) {
    const TestCertificate ca =
        MakeCa(root_, {.common_name = "ca", .name_constraints = "critical," + c.constraints});
    const TestCertificate leaf = MakeLeaf(ca, {.subject_alt_name = c.names});
    const PathFault fault = Check({&leaf, &ca, &root_});
    EXPECT_EQ(fault.x509_error, c.expected) << c.constraints << " on " << c.names;
    EXPECT_EQ(fault.reason == Rejection::kNone, c.expected == X509_V_OK);
    const Verdict verdict = Judge(trust_, {&leaf, &ca});
    EXPECT_EQ(NameOf(verdict), c.expected == X509_V_OK ? "none" : "bad_certificate")
        << c.constraints << " on " << c.names << ": " << verdict.x509_error;
  }
}

TEST_F(NameConstraintsTest, TheAnchorsConstraintsBind) {
  const TestCertificate bound = MakeRoot(
      {.common_name = "bound", .name_constraints = "critical,permitted;IP:10.0.0.0/255.0.0.0"});
  const TestCertificate good = MakeLeaf(bound, {.subject_alt_name = "IP:10.1.2.3"});
  const TestCertificate bad = MakeLeaf(bound, {.subject_alt_name = "IP:11.1.2.3"});
  EXPECT_EQ(Check({&good, &bound}).reason, Rejection::kNone);
  EXPECT_EQ(Check({&bad, &bound}).depth, 0U);
  EXPECT_EQ(NameOf(Judge(MakeTrust({&bound}), {&good})), "none");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&bound}), {&bad})), "bad_certificate");
}

TEST_F(NameConstraintsTest, IntermediatesAreBoundUnlessSelfIssued) {
  const TestCertificate bound = MakeCa(
      root_, {.common_name = "bound", .name_constraints = "critical,permitted;email:a.example"});
  const TestCertificate below =
      MakeCa(bound, {.common_name = "below", .subject_alt_name = "email:u@b.example"});
  const TestCertificate leaf = MakeLeaf(below, {});
  EXPECT_EQ(Check({&leaf, &below, &bound, &root_}).depth, 1U);
  const TestCertificate self_issued =
      MakeCa(bound, {.common_name = "bound", .subject_alt_name = "email:u@b.example"});
  const TestCertificate other = MakeLeaf(self_issued, {});
  EXPECT_EQ(Check({&other, &self_issued, &bound, &root_}).reason, Rejection::kNone);
}

TEST_F(NameConstraintsTest, ALegacyLeafIsOnlyMeasuredByConstraintsOnWhatItHas) {
  // Its common name looks like a host's, but nobody constrains hosts.
  const TestCertificate by_address = MakeCa(
      root_, {.common_name = "a", .name_constraints = "critical,permitted;IP:10.0.0.0/255.0.0.0"});
  const TestCertificate leaf = MakeLeaf(by_address, {.common_name = "client1"});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &by_address})), "none");
  const TestCertificate by_host =
      MakeCa(root_, {.common_name = "b", .name_constraints = "critical,permitted;DNS:a.example"});
  const TestCertificate host_like = MakeLeaf(by_host, {.common_name = "evil.example"});
  EXPECT_EQ(NameOf(Judge(trust_, {&host_like, &by_host})), "bad_certificate");
  const TestCertificate plain = MakeLeaf(by_host, {.common_name = "My Client"});
  EXPECT_EQ(NameOf(Judge(trust_, {&plain, &by_host})), "none");
}

TEST_F(NameConstraintsTest, TooManyComparisonsAreRefused) {
  std::string constraints = "critical";
  for (int i = 0; i < 300; ++i) constraints += ",excluded;DNS:n" + std::to_string(i) + ".example";
  std::string names = "DNS:n.test";
  for (int i = 0; i < 300; ++i) names += ",DNS:n" + std::to_string(i) + ".test";
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .name_constraints = constraints});
  const TestCertificate leaf = MakeLeaf(ca, {.subject_alt_name = names});
  const PathFault fault = Check({&leaf, &ca, &root_});
  EXPECT_EQ(fault.reason, Rejection::kBadCertificate);
  EXPECT_EQ(fault.detail, "too many names and name constraints");
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &ca})), "bad_certificate");
}

TEST_F(NameConstraintsTest, TheEmailAddressOfASubjectCounts) {
  const TestCertificate ca = MakeCa(
      root_, {.common_name = "ca", .name_constraints = "critical,permitted;email:a.example"});
  const TestCertificate good = MakeLeaf(ca, {.email_address = "u@a.example"});
  const TestCertificate bad = MakeLeaf(ca, {.email_address = "u@b.example"});
  EXPECT_EQ(Check({&good, &ca, &root_}).reason, Rejection::kNone);
  EXPECT_EQ(Check({&bad, &ca, &root_}).x509_error, X509_V_ERR_PERMITTED_VIOLATION);
}

}  // namespace
}  // namespace portcullis::tls
