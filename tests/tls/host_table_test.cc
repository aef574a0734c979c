#include "tls/host_table.h"

#include <string>
#include <vector>

#include "tests/tls/engine_fixture.h"

namespace portcullis::tls {
namespace {

using ::testing::AllOf;
using testing::EngineTest;
using ::testing::HasSubstr;
using testing::TestHosts;

class HostTableTest : public EngineTest {
 protected:
  HostSpec Named(const std::string& name, const std::vector<std::string>& server_names) const {
    HostSpec spec = Host(name, ClientAuthMode::kOff);
    spec.server_names = server_names;
    return spec;
  }

  static std::string Selected(HostTable& table, std::string_view name) {
    const tls::Host* const host = table.Select(name);
    return host == nullptr ? "nobody" : host->spec->name;
  }

  static std::string ErrorOf(const std::vector<HostSpec>& specs,
                             const HostTableOptions& options = {}) {
    std::vector<const HostSpec*> pointers;
    for (const HostSpec& spec : specs) pointers.push_back(&spec);
    const auto table = HostTable::Build(pointers, options, TicketSecret::Random(3600));
    return table.ok() ? "no error" : std::string(table.status().message());
  }
};

TEST_F(HostTableTest, ExactThenWildcardThenDefault) {
  TestHosts hosts({Named("default", {}), Named("exact", {"a.example.com"}),
                   Named("wild", {"*.example.com"}), Named("deep", {"*.b.example.com"})});
  HostTable& table = hosts.table();
  EXPECT_EQ(Selected(table, "a.example.com"), "exact");
  EXPECT_EQ(Selected(table, "A.EXAMPLE.COM"), "exact");
  EXPECT_EQ(Selected(table, "a.example.com."), "exact");
  EXPECT_EQ(Selected(table, "b.example.com"), "wild");
  EXPECT_EQ(Selected(table, "x.b.example.com"), "deep");
  EXPECT_EQ(Selected(table, "x.a.example.com"), "default");  // a star is one label
  EXPECT_EQ(Selected(table, "example.com"), "default");
  EXPECT_EQ(Selected(table, ".example.com"), "default");
  EXPECT_EQ(Selected(table, "*.example.com"), "wild");
  EXPECT_EQ(Selected(table, ""), "default");
  EXPECT_EQ(Selected(table, "."), "default");
  EXPECT_EQ(Selected(table, std::string(300, 'a') + ".example.com"), "default");
}

TEST_F(HostTableTest, RefusingUnknownNamesStillServesAbsentOnes) {
  TestHosts hosts({Named("default", {"a.example"})}, {.refuse_unknown_sni = true});
  EXPECT_EQ(Selected(hosts.table(), "b.example"), "nobody");
  EXPECT_EQ(Selected(hosts.table(), "a.example"), "default");
  EXPECT_EQ(Selected(hosts.table(), ""), "default");
}

TEST_F(HostTableTest, FindByNameKnowsNoDefault) {
  TestHosts hosts({Named("default", {"a.example"})});
  EXPECT_EQ(hosts.table().FindByName("b.example"), nullptr);
  EXPECT_EQ(hosts.table().FindByName(""), nullptr);
  ASSERT_NE(hosts.table().FindByName("A.example"), nullptr);
}

TEST_F(HostTableTest, HostsKeepTheOrderOfTheSpecs) {
  TestHosts hosts({Named("x", {"x.example"}), Named("y", {"y.example"})});
  ASSERT_EQ(hosts.table().hosts().size(), 2U);
  EXPECT_EQ(hosts.table().hosts()[1]->index, 1U);
  EXPECT_EQ(hosts.table().hosts()[1]->spec->name, "y");
}

TEST_F(HostTableTest, NamesMustBeUniqueAndWellFormed) {
  EXPECT_THAT(ErrorOf({Named("x", {"a.example"}), Named("y", {"A.example"})}),
              AllOf(HasSubstr("host y"), HasSubstr("A.example"), HasSubstr("host x")));
  EXPECT_THAT(ErrorOf({Named("x", {"a.*.example"})}),
              AllOf(HasSubstr("host x"), HasSubstr("a.*.example")));
  EXPECT_THAT(ErrorOf({Named("x", {""})}), HasSubstr("host x"));
  EXPECT_THAT(ErrorOf({Named("x", {"*."})}), HasSubstr("host x"));
  EXPECT_EQ(ErrorOf({Named("x", {"a.example", "a.example"})}), "no error");
}

TEST_F(HostTableTest, TheDefaultMustExist) {
  EXPECT_THAT(ErrorOf({Named("x", {})}, {.default_host = "y"}), HasSubstr("\"y\""));
}

TEST_F(HostTableTest, TheClockIsTheOneSet) {
  TestHosts hosts({Named("x", {})});
  hosts.table().SetNow(42);
  EXPECT_EQ(hosts.table().now(), 42);
}

}  // namespace
}  // namespace portcullis::tls
