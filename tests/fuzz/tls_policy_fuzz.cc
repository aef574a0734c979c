// A policy and an identity from arbitrary bytes: lines "FIELD VALUE", of which those before an
// empty line make rules and those after it the identity. Whatever compiles must evaluate, and
// decide the same whichever way a rule is put: denied where it was allowed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tls/policy.h"

namespace {

using portcullis::tls::MatchField;
using portcullis::tls::PeerIdentity;
using portcullis::tls::Policy;
using portcullis::tls::PolicySpec;
using portcullis::tls::RuleSpec;

void Require(bool condition) {
  if (!condition) std::abort();
}

std::string_view TakeLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

void AddToIdentity(PeerIdentity& identity, std::string_view line) {
  if (line.empty()) return;
  const std::string value(line.substr(1));
  std::vector<std::string>* const lists[] = {
      &identity.common_names, &identity.organizations, &identity.organizational_units,
      &identity.dns_names,    &identity.uris,          &identity.emails,
      &identity.ips,          &identity.policy_oids};
  std::string* const texts[] = {&identity.subject, &identity.issuer, &identity.serial_hex};
  const auto kind = static_cast<size_t>(static_cast<uint8_t>(line.front()) - '0');
  if (kind < std::size(lists)) lists[kind]->push_back(value);
  if (kind - std::size(lists) < std::size(texts)) *texts[kind - std::size(lists)] = value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  RuleSpec rule;
  while (!rest.empty()) {
    const std::string_view line = TakeLine(rest);
    if (line.empty()) break;
    const auto field = static_cast<uint8_t>(line.front()) % portcullis::tls::kNumMatchFields;
    rule.all_of.push_back(
        {.field = static_cast<MatchField>(field), .values = {std::string(line.substr(1))}});
  }
  PeerIdentity identity;
  while (!rest.empty()) AddToIdentity(identity, TakeLine(rest));
  const auto allow = Policy::Compile({.allow = {rule}, .deny = {}});
  const auto deny = Policy::Compile({.allow = {}, .deny = {rule}});
  Require(allow.ok() == deny.ok());
  if (!allow.ok()) {
    Require(!allow.status().message().empty());
    return 0;
  }
  // Whoever fits the rule is denied by it; whoever does not may be too, by a malformed value.
  Require(!(*allow)->Evaluate(identity).allowed || !(*deny)->Evaluate(identity).allowed);
  Require((*allow)->epoch() != 0 && (*allow)->epoch() != (*deny)->epoch());
  return 0;
}
