#include "tls/key_choice.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tls/system_libcrypto.h"

namespace portcullis::tls {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr nanoseconds kMeasureFor = std::chrono::milliseconds(10);
constexpr int kMinRounds = 2;
constexpr int kMaxRounds = 16;
// What a TLS 1.3 client is shown: PSS.
constexpr uint16_t kScheme = SSL_SIGN_RSA_PSS_RSAE_SHA256;
constexpr std::array<uint8_t, 130> kInput = {0x20};  // RFC 8446 4.4.3's size, with SHA-256

// What has been measured. For the process: it is the machine's property, not a configuration's.
struct Measured {
  std::mutex mutex;
  std::map<std::pair<int, KeyProvider>, std::optional<nanoseconds>> costs;  // by bits; guarded
};

// What `key`, of so many bits, costs: measured now, which `is_new` then says, unless known.
std::optional<nanoseconds> CostOf(const SigningKey& key, int bits, bool& is_new) {
  static Measured measured;
  const std::lock_guard lock(measured.mutex);
  const auto [found, fresh] = measured.costs.try_emplace({bits, key.provider()});
  if (fresh) found->second = MeasureSigning(key);
  is_new = is_new || fresh;
  return found->second;
}

std::string Figure(std::optional<nanoseconds> cost) {
  if (!cost.has_value()) return "no time, for it fails";
  return absl::StrCat(std::chrono::duration_cast<microseconds>(*cost).count(), " us");
}

// A signature of `signer` that BoringSSL finds to be `key`'s.
bool IsTrustworthy(EVP_PKEY* key, const SigningKey& signer) {
  const SigningJob job = {.key = {std::shared_ptr<void>(), &signer},
                          .scheme = kScheme,
                          .input = {kInput.begin(), kInput.end()}};
  return IsSignatureOf(key, kScheme, kInput, job.Run());
}

// The system's copy of `key`, tried out.
absl::StatusOr<std::shared_ptr<const SigningKey>> TrySystem(EVP_PKEY* key) {
  absl::StatusOr<std::shared_ptr<const SigningKey>> system = MakeSystemKey(key);
  if (!system.ok()) return absl::UnavailableError(std::string(system.status().message()));
  if (!IsTrustworthy(key, **system)) {
    return absl::UnavailableError("its signatures are not the key's");
  }
  return system;
}

std::string Report(int bits, const SigningCosts& costs, const absl::Status& system,
                   const SigningChoice& choice) {
  std::string text = absl::StrCat("RSA-", bits, " keys: a signature takes ", Figure(costs.builtin));
  if (system.ok()) {
    const absl::StatusOr<std::string> version = SystemLibcryptoVersion();
    absl::StrAppend(&text, ", with the system's libcrypto (", version.ok() ? *version : "", ") ",
                    Figure(costs.system), "; the ",
                    choice.provider == KeyProvider::kSystem ? "latter" : "former", " is used");
  } else {
    absl::StrAppend(&text, "; the system's libcrypto is not used: ", std::string(system.message()));
  }
  return absl::StrCat(text, choice.on_helper ? ", on a helper thread" : "");
}

}  // namespace

bool PrefersSystem(const SigningCosts& costs) {
  return costs.system.has_value() && costs.builtin.has_value() &&
         *costs.system * 10 <= *costs.builtin * 9;
}

std::optional<nanoseconds> MeasureSigning(const SigningKey& key) {
  std::vector<uint8_t> out(key.max_signature_bytes());
  size_t size = 0;
  // The first one also prepares what later ones use.
  if (!key.Sign(kScheme, kInput, out, size)) return std::nullopt;
  nanoseconds best = nanoseconds::max();
  const auto start = steady_clock::now();
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto before = steady_clock::now();
    if (round >= kMinRounds && before - start >= kMeasureFor) break;
    if (!key.Sign(kScheme, kInput, out, size)) return std::nullopt;
    best = std::min<nanoseconds>(best, steady_clock::now() - before);
  }
  return best;
}

absl::StatusOr<SigningChoice> ChooseSigning(EVP_PKEY* key, const SigningWish& wish) {
  SigningChoice choice{.on_helper = wish.helper == HelperWish::kAlways};
  if (EVP_PKEY_id(key) != EVP_PKEY_RSA) return choice;
  if (wish.provider == KeyProviderWish::kBuiltin && wish.helper != HelperWish::kAuto) return choice;
  absl::StatusOr<std::shared_ptr<const SigningKey>> system =
      wish.provider == KeyProviderWish::kBuiltin ? absl::UnavailableError("it is not asked for")
                                                 : TrySystem(key);
  if (wish.provider == KeyProviderWish::kSystem && !system.ok()) {
    return absl::UnavailableError(absl::StrCat(
        "key_provider is system, but the system's libcrypto (OpenSSL 3) cannot be used: ",
        system.status().message()));
  }
  const int bits = EVP_PKEY_bits(key);
  bool is_new = false;
  SigningCosts costs{.builtin = CostOf(*MakeBuiltinKey(key), bits, is_new), .system = std::nullopt};
  if (system.ok()) costs.system = CostOf(**system, bits, is_new);
  const bool use_system = wish.provider == KeyProviderWish::kSystem || PrefersSystem(costs);
  choice.provider = use_system ? KeyProvider::kSystem : KeyProvider::kBuiltin;
  const std::optional<nanoseconds> cost = use_system ? costs.system : costs.builtin;
  if (wish.helper == HelperWish::kAuto) choice.on_helper = cost.has_value() && *cost > kHelperPays;
  if (is_new) choice.report = Report(bits, costs, system.status(), choice);
  return choice;
}

absl::StatusOr<std::shared_ptr<const SigningKey>> MakeSigningKey(EVP_PKEY* key,
                                                                 KeyProvider provider) {
  if (provider == KeyProvider::kSystem) return MakeSystemKey(key);
  return MakeBuiltinKey(key);
}

}  // namespace portcullis::tls
