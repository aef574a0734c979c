#include "tls/name_match.h"

#include <openssl/asn1.h>
#include <openssl/mem.h>
#include <openssl/x509.h>

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

bssl::UniquePtr<GENERAL_NAME> TextName(int type, const std::string& text) {
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  ASN1_STRING* const string =
      ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  EXPECT_EQ(ASN1_STRING_set(string, text.data(), static_cast<ossl_ssize_t>(text.size())), 1);
  GENERAL_NAME_set0_value(name.get(), type, string);
  return name;
}

bssl::UniquePtr<GENERAL_NAME> Directory(const std::vector<std::vector<std::string>>& rdns) {
  bssl::UniquePtr<X509_NAME> directory(X509_NAME_new());
  for (const std::vector<std::string>& rdn : rdns) {
    for (size_t i = 0; i < rdn.size(); ++i) {
      const std::string field = rdn[i].substr(0, rdn[i].find('='));
      const std::string value = rdn[i].substr(rdn[i].find('=') + 1);
      EXPECT_EQ(
          X509_NAME_add_entry_by_txt(directory.get(), field.c_str(), MBSTRING_UTF8,
                                     reinterpret_cast<const uint8_t*>(value.data()),
                                     static_cast<ossl_ssize_t>(value.size()), -1, i == 0 ? 0 : -1),
          1);
    }
  }
  uint8_t* encoded = nullptr;
  const int size = i2d_X509_NAME(directory.get(), &encoded);
  const uint8_t* in = encoded;
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  // As from the wire, so that its canonical form is there.
  GENERAL_NAME_set0_value(name.get(), GEN_DIRNAME, d2i_X509_NAME(nullptr, &in, size));
  OPENSSL_free(encoded);
  return name;
}

char Short(NameMatch match) {
  switch (match) {
    case NameMatch::kWithin:
      return 'y';
    case NameMatch::kOutside:
      return 'n';
    case NameMatch::kBadName:
      return 'N';
    case NameMatch::kBadConstraint:
      return 'C';
    case NameMatch::kUnsupported:
      return 'U';
  }
  return '?';
}

struct MatchCase {
  std::string name;
  std::string base;
  char expected;  // as Short
};

void CheckAll(int type, const std::vector<MatchCase>& cases, Subtree side = Subtree::kPermitted) {
  for (const MatchCase& c : cases) {
    const auto name = TextName(type, c.name);
    const auto base = TextName(type, c.base);
    EXPECT_EQ(Short(MatchName(*name, *base, side)), c.expected) << c.name << " in " << c.base;
  }
}

TEST(NameMatch, DnsNamesAreWithinTheirDomain) {
  CheckAll(GEN_DNS, {{"a.example", "a.example", 'y'},
                     {"b.a.example", "a.example", 'y'},
                     {"B.A.Example", "a.eXample", 'y'},
                     {"ba.example", "a.example", 'n'},
                     {"example", "a.example", 'n'},
                     {"anything", "", 'y'},
                     {"a.example", ".example", 'y'},
                     {"example", ".example", 'n'},
                     {"*.a.example", "a.example", 'y'},
                     {"*.a.example", "b.a.example", 'n'}});
}

TEST(NameMatch, AWildcardIsExcludedWithAnyOfWhatItStandsFor) {
  CheckAll(GEN_DNS,
           {{"*.a.example", "b.a.example", 'y'},
            {"*.a.example", ".b.a.example", 'y'},
            {"*.a.example", "b.c.example", 'n'},
            {"*.a.example", "a.example", 'y'}},
           Subtree::kExcluded);
}

TEST(NameMatch, MailboxesHostsAndDomains) {
  CheckAll(GEN_EMAIL, {{"u@a.example", "u@a.example", 'y'},
                       {"u@A.example", "u@a.example", 'y'},
                       {"U@a.example", "u@a.example", 'n'},
                       {"v@a.example", "u@a.example", 'n'},
                       {"u@a.example", "a.example", 'y'},
                       {"u@b.a.example", "a.example", 'n'},
                       {"u@b.a.example", ".a.example", 'y'},
                       {"u@a.example", ".a.example", 'n'},
                       {"u@a.example", "@a.example", 'y'},
                       {"u@a.example", "u@", 'C'},
                       {"nobody", "a.example", 'N'},
                       {"@a.example", "a.example", 'N'},
                       {"\"x@evil.example\"@a.example", "evil.example", 'n'}});
}

TEST(NameMatch, UrisAreComparedByHost) {
  CheckAll(GEN_URI, {{"https://a.example/x", "a.example", 'y'},
                     {"https://A.example:8443/x", "a.example", 'y'},
                     {"https://b.a.example", "a.example", 'n'},
                     {"https://b.a.example", ".a.example", 'y'},
                     {"spiffe://a.example/ns/web", "a.example", 'y'},
                     {"https://user@a.example/", "a.example", 'y'},
                     {"https://a.example@evil.example/", "a.example", 'n'},
                     {"https://evil.example/@a.example", "a.example", 'n'},
                     {"https://evil.example?@a.example", "a.example", 'n'},
                     {"https://192.0.2.1/", "a.example", 'N'},
                     {"https://[2001:db8::1]/", "a.example", 'N'},
                     {"https:///path", "a.example", 'N'},
                     {"urn:uuid:1", "a.example", 'N'},
                     {"nothing", "a.example", 'N'}});
}

TEST(NameMatch, AddressesAreWithinTheirRange) {
  const std::string net("\x0a\x01\x00\x00\xff\xff\x00\x00", 8);
  const std::string odd_bits("\x0a\x01\x80\x00\xff\xff\x80\x00", 8);
  const std::string all("\0\0\0\0\0\0\0\0", 8);
  const std::string holes("\x0a\x01\x00\x00\xff\x00\xff\x00", 8);
  const std::string v6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(12, '\0') +
                         std::string(4, '\xff') + std::string(12, '\0');
  const std::string v6_address = std::string("\x20\x01\x0d\xb8", 4) + std::string(12, '\7');
  CheckAll(GEN_IPADD, {{"\x0a\x01\x02\x03", net, 'y'},
                       {"\x0a\x02\x02\x03", net, 'n'},
                       {"\x0a\x01\x82\x03", odd_bits, 'y'},
                       {"\x0a\x01\x02\x03", odd_bits, 'n'},
                       {"\x01\x02\x03\x04", all, 'y'},
                       {"\x0a\x01\x02\x03", holes, 'C'},
                       {"\x0a\x01\x02\x03", "\x0a\x01\x02\x03", 'C'},
                       {"\x0a\x01\x02", net, 'N'},
                       {v6_address, v6, 'y'},
                       {std::string(16, '\7'), v6, 'n'},
                       {v6_address, net, 'n'},
                       {"\x0a\x01\x02\x03", v6, 'n'}});
}

TEST(NameMatch, DirectoryNamesAreWithinTheirPrefix) {
  const auto match = [](const std::vector<std::vector<std::string>>& name,
                        const std::vector<std::vector<std::string>>& base) {
    return Short(MatchName(*Directory(name), *Directory(base), Subtree::kPermitted));
  };
  EXPECT_EQ(match({{"C=DE"}, {"O=Acme"}, {"CN=x"}}, {{"C=DE"}, {"O=Acme"}}), 'y');
  EXPECT_EQ(match({{"C=DE"}, {"O=ACME  "}}, {{"C=DE"}, {"O=acme"}}), 'y');  // canonical form
  EXPECT_EQ(match({{"C=DE"}, {"O=Acme"}}, {}), 'y');
  EXPECT_EQ(match({{"C=DE"}, {"O=Acme Inc"}}, {{"C=DE"}, {"O=Acme"}}), 'n');
  EXPECT_EQ(match({{"C=DE"}}, {{"C=DE"}, {"O=Acme"}}), 'n');
  EXPECT_EQ(match({{"O=Acme"}, {"C=DE"}}, {{"C=DE"}, {"O=Acme"}}), 'n');
  EXPECT_EQ(match({{"C=DE"}, {"O=Acme", "OU=a"}, {"CN=x"}}, {{"C=DE"}, {"O=Acme", "OU=a"}}), 'y');
  EXPECT_EQ(match({{"C=DE"}, {"O=Acme", "OU=a"}}, {{"C=DE"}, {"O=Acme"}}), 'n');  // half an RDN
}

TEST(NameMatch, NobodyComparesOtherForms) {
  bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  GENERAL_NAME_set0_value(name.get(), GEN_RID, OBJ_txt2obj("1.2.3", 1));
  EXPECT_EQ(Short(MatchName(*name, *name, Subtree::kPermitted)), 'U');
}

}  // namespace
}  // namespace portcullis::tls
