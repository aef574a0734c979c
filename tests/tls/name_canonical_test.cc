#include "tls/name_canonical.h"

#include <openssl/err.h>

#include <iostream>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

struct Attribute {
  const char* field;
  int type;
  std::string value;
  int set;  // as X509_NAME_add_entry_by_txt has it: 0 a new RDN, -1 the same as before
};

bssl::UniquePtr<X509_NAME> Make(const std::vector<Attribute>& attributes) {
  bssl::UniquePtr<X509_NAME> name(X509_NAME_new());
  for (const Attribute& a : attributes) {
    EXPECT_EQ(X509_NAME_add_entry_by_txt(name.get(), a.field, a.type,
                                         reinterpret_cast<const uint8_t*>(a.value.data()),
                                         static_cast<ossl_ssize_t>(a.value.size()), -1, a.set),
              1);
  }
  return name;
}

std::string Canonical(const std::vector<Attribute>& attributes) {
  return CanonicalName(*Make(attributes));
}

TEST(NameCanonical, CaseSpacesAndEncodingDoNotMatter) {
  const std::string plain = Canonical({{"CN", V_ASN1_UTF8STRING, "my ca", 0}});
  EXPECT_EQ(plain, Canonical({{"CN", V_ASN1_PRINTABLESTRING, " My  CA ", 0}}));
  EXPECT_EQ(plain, Canonical({{"CN", V_ASN1_IA5STRING, "MY\tCA", 0}}));
  EXPECT_NE(plain, Canonical({{"CN", V_ASN1_UTF8STRING, "myca", 0}}));
  EXPECT_NE(plain, Canonical({{"OU", V_ASN1_UTF8STRING, "my ca", 0}}));
}

TEST(NameCanonical, TheOrderOfNamesMattersThatWithinOneDoesNot) {
  const Attribute cn = {"CN", V_ASN1_UTF8STRING, "a", 0};
  const Attribute ou = {"OU", V_ASN1_UTF8STRING, "b", 0};
  const Attribute with_cn = {"CN", V_ASN1_UTF8STRING, "a", -1};
  const Attribute with_ou = {"OU", V_ASN1_UTF8STRING, "b", -1};
  EXPECT_NE(Canonical({cn, ou}), Canonical({ou, cn}));
  EXPECT_EQ(Canonical({cn, with_ou}), Canonical({ou, with_cn}));
  EXPECT_NE(Canonical({cn, with_ou}), Canonical({cn, ou}));
}

TEST(NameCanonical, AgreesWithTheLibrarysComparison) {
  const uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const std::vector<std::string> values = {"a", "A", " a", "a b", "a  B", "ab", "\xc3\xa9", "B"};
  const auto name = [&] {
    std::vector<Attribute> attributes;
    for (uint32_t i = 0; i <= random() % 3; ++i) {
      const std::string& value = values[random() % values.size()];
      const bool ascii = static_cast<unsigned char>(value[0]) < 0x80;
      attributes.push_back({random() % 2 == 0 ? "CN" : "O",
                            ascii && random() % 2 == 0 ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING,
                            value, i > 0 && random() % 3 == 0 ? -1 : 0});
    }
    return Make(attributes);
  };
  int num_equal = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto a = name();
    const auto b = name();
    const bool equal = X509_NAME_cmp(a.get(), b.get()) == 0;
    num_equal += equal ? 1 : 0;
    ASSERT_EQ(equal, CanonicalName(*a) == CanonicalName(*b));
  }
  EXPECT_GT(num_equal, 100);
}

TEST(NameCanonical, ParsesWholeNamesOnly) {
  const std::vector<uint8_t> empty = {0x30, 0x00};
  EXPECT_NE(ParseName(empty), nullptr);
  EXPECT_EQ(ParseName(std::vector<uint8_t>{0x30, 0x00, 0x00}), nullptr);
  EXPECT_EQ(ParseName(std::vector<uint8_t>{0x31, 0x00}), nullptr);
  EXPECT_EQ(ParseName({}), nullptr);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace portcullis::tls
