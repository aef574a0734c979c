#include "core/server/lost_crls.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/server/config_folder.h"
#include "tests/tls/test_pki.h"

namespace portcullis::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using tls::testing::kNow;
using tls::testing::MakeCrlPem;

class LostCrlsTest : public ::testing::Test {
 protected:
  LostCrlsTest() {
    std::filesystem::create_directory(folder_.path("crls"));
    folder_.Write("crls/ca.crl", MakeCrlPem(folder_.root(), {1}));
    folder_.Edit("ca: [ca.crt]", "ca: [ca.crt], crl: [crls], revocation: {mode: soft}");
  }

  [[nodiscard]] std::shared_ptr<const Snapshot> Load() const {
    auto snapshot = LoadSnapshot(folder_.path("portcullis.yaml"), kNow);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return snapshot.ok() ? *std::move(snapshot) : nullptr;
  }

  ConfigFolder folder_;
};

TEST_F(LostCrlsTest, TheSameAgainHasLostNone) {
  const auto before = Load();
  EXPECT_THAT(LostCrls(*before, *Load()), IsEmpty());
}

TEST_F(LostCrlsTest, TheLastOneGoneIsTold) {
  folder_.Write("crls/other.crl", MakeCrlPem(folder_.other_root(), {1}));
  const auto both = Load();
  std::filesystem::remove(folder_.path("crls/other.crl"));
  const auto one = Load();
  EXPECT_THAT(LostCrls(*both, *one), IsEmpty());
  folder_.Edit("crl: [crls], ", "");
  const auto none = Load();
  EXPECT_THAT(LostCrls(*both, *none), ElementsAre(HasSubstr("had 2 CRLs and has none")));
  EXPECT_THAT(LostCrls(*one, *none),
              ElementsAre(AllOf(HasSubstr("portcullis.yaml"),
                                HasSubstr("trust 'clients' had 1 CRL and has none any more: "
                                          "revoked clients are no longer refused"))));
  EXPECT_THAT(LostCrls(*none, *none), IsEmpty()) << "told once";
  EXPECT_THAT(LostCrls(*none, *one), IsEmpty());
}

TEST_F(LostCrlsTest, RevocationTurnedOffIsTold) {
  const auto before = Load();
  folder_.Edit("mode: soft", "mode: off");
  const auto off = Load();
  EXPECT_THAT(LostCrls(*before, *off), ElementsAre(HasSubstr("none any more (revocation is off)")));
  EXPECT_THAT(LostCrls(*off, *off), IsEmpty());
}

TEST_F(LostCrlsTest, ATrustThatIsGoneHasLostNone) {
  const auto before = Load();
  folder_.Edit("name: clients", "name: people");
  folder_.Edit("trust: clients", "trust: people");
  folder_.Edit("crl: [crls], ", "");
  EXPECT_THAT(LostCrls(*before, *Load()), IsEmpty());
}

}  // namespace
}  // namespace portcullis::server
