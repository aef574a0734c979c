// Whether a name lies within a subtree of its form (RFC 5280 4.2.1.10). Pure functions, any thread.
#pragma once

#include <openssl/x509v3.h>

#include <cstdint>

namespace portcullis::tls {

enum class [[nodiscard]] NameMatch : uint8_t {
  kWithin,
  kOutside,
  kBadName,        // the name is not of the form's syntax: nothing can be said of it
  kBadConstraint,  // ... or the constraint's
  kUnsupported,    // a form nobody compares: otherName, X.400, EDI, registered identifiers
};

// What the answer is for. It matters to names that stand for many: `*.a.example` is within a
// permitted subtree if all that it stands for is, and within an excluded one if any of it is.
enum class Subtree : uint8_t { kPermitted, kExcluded };

// MatchName compares `name` with the subtree's `base`, which is of the same form.
NameMatch MatchName(const GENERAL_NAME& name, const GENERAL_NAME& base, Subtree side);

}  // namespace portcullis::tls
