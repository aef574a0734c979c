// The words for the enums of config.h: one table each, read by the YAML reader and printed by
// Describe, so that the two cannot drift apart. Constants, any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/config/config.h"

namespace portcullis::config {

template <typename T>
struct Named {
  std::string_view name;
  T value;
};

inline constexpr Named<StageMode> kStageModes[] = {{"http", StageMode::kHttp},
                                                   {"tcp", StageMode::kTcp}};
inline constexpr Named<AuthMode> kAuthModes[] = {{"off", AuthMode::kOff},
                                                 {"optional", AuthMode::kOptional},
                                                 {"optional_no_ca", AuthMode::kOptionalNoCa},
                                                 {"require", AuthMode::kRequire}};
inline constexpr Named<CaNames> kCaNames[] = {
    {"auto", CaNames::kAuto}, {"true", CaNames::kFit}, {"false", CaNames::kNone}};
inline constexpr Named<tls::Profile> kProfiles[] = {{"compatible", tls::Profile::kCompatible},
                                                    {"strict", tls::Profile::kStrict}};
inline constexpr Named<tls::RevocationMode> kRevocationModes[] = {
    {"off", tls::RevocationMode::kOff},
    {"soft", tls::RevocationMode::kSoft},
    {"require", tls::RevocationMode::kRequire}};
inline constexpr Named<tls::RevocationScope> kRevocationScopes[] = {
    {"leaf", tls::RevocationScope::kLeaf}, {"chain", tls::RevocationScope::kChain}};
inline constexpr Named<tls::OcspMode> kOcspModes[] = {{"off", tls::OcspMode::kOff},
                                                      {"soft", tls::OcspMode::kSoft},
                                                      {"require", tls::OcspMode::kRequire}};
inline constexpr Named<tls::KeyProviderWish> kKeyProviders[] = {
    {"auto", tls::KeyProviderWish::kAuto},
    {"builtin", tls::KeyProviderWish::kBuiltin},
    {"system", tls::KeyProviderWish::kSystem}};
inline constexpr Named<tls::HelperWish> kHelperWishes[] = {{"auto", tls::HelperWish::kAuto},
                                                           {"always", tls::HelperWish::kAlways},
                                                           {"never", tls::HelperWish::kNever}};
inline constexpr Named<Refusal> kRefusals[] = {{"alert", Refusal::kAlert},
                                               {"http", Refusal::kHttp}};
inline constexpr Named<Forwarding> kForwardings[] = {{"x-forwarded", Forwarding::kXForwarded},
                                                     {"forwarded", Forwarding::kForwarded},
                                                     {"both", Forwarding::kBoth},
                                                     {"off", Forwarding::kOff}};
inline constexpr Named<IdentityProfile> kIdentityProfiles[] = {
    {"ingress-nginx", IdentityProfile::kIngressNginx}, {"none", IdentityProfile::kNone}};
inline constexpr Named<LogLevel> kLogLevels[] = {{"debug", LogLevel::kDebug},
                                                 {"info", LogLevel::kInfo},
                                                 {"warn", LogLevel::kWarn},
                                                 {"error", LogLevel::kError}};
inline constexpr Named<bool> kBools[] = {{"true", true}, {"false", false}};
inline constexpr Named<bool> kUnknownSniRefused[] = {{"default", false}, {"refuse", true}};

// NameOf returns the word for `value`; "" if the table lacks it.
template <typename T, size_t N>
constexpr std::string_view NameOf(const Named<T> (&table)[N], T value) {
  for (const Named<T>& entry : table) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

}  // namespace portcullis::config
