// What the engine's tests share: a small PKI and virtual hosts that ask for its certificates. One
// thread.
#pragma once

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_client.h"
#include "tests/tls/test_pki.h"
#include "tls/engine.h"

namespace portcullis::tls::testing {

class EngineTest : public ::testing::Test {
 protected:
  // A host called `name` that serves under that name and asks clients for root_'s certificates.
  [[nodiscard]] HostSpec Host(const std::string& name, ClientAuthMode mode,
                              RefusalStyle refusal = RefusalStyle::kAlert) const {
    HostSpec spec;
    spec.name = name;
    spec.server_names = {name};
    spec.credentials = {MakeCredential(server_)};
    spec.client_auth.mode = mode;
    spec.client_auth.refusal = refusal;
    if (mode != ClientAuthMode::kOff) spec.client_auth.trust = trust_;
    return spec;
  }

  // A client with a good certificate.
  [[nodiscard]] ClientOptions GoodClient(uint16_t version = TLS1_3_VERSION) const {
    ClientOptions options = AnonymousClient(version);
    options.certificate = &client_;
    return options;
  }
  [[nodiscard]] static ClientOptions AnonymousClient(uint16_t version = TLS1_3_VERSION) {
    return {.sni = "edge.example", .min_version = version, .max_version = version};
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate server_root_ = MakeRoot({.common_name = "server root"});
  const TestCertificate server_ = MakeLeaf(server_root_, {.common_name = "server"});
  const TestCertificate client_ =
      MakeLeaf(root_, {.common_name = "client", .extended_key_usage = "clientAuth"});
  const std::shared_ptr<const TrustMaterial> trust_ = MakeTrust({&root_});
};

// The versions that everything is tried under.
inline constexpr uint16_t kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

[[nodiscard]] inline std::string ReasonOf(const Engine& engine) {
  return std::string(Name(engine.failure().reason));
}

// Pattern returns `size` bytes that differ at every place one would confuse.
[[nodiscard]] inline std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

// TestSeed returns PORTCULLIS_TEST_SEED where that is set, else a new one each run. To be printed
// with what fails.
[[nodiscard]] inline uint64_t TestSeed() {
  const char* const wanted = std::getenv("PORTCULLIS_TEST_SEED");
  return wanted == nullptr ? std::random_device()() : std::strtoull(wanted, nullptr, 10);
}

}  // namespace portcullis::tls::testing
