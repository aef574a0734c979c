#include "tls/name_constraints.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "tls/name_match.h"

namespace portcullis::tls {
namespace {

using Constraints = bssl::UniquePtr<NAME_CONSTRAINTS>;

// Reads a certificate's constraints; null without. `malformed` tells of one that does not decode.
Constraints ReadConstraints(const X509* certificate, bool& malformed) {
  int critical = 0;
  Constraints constraints(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(certificate, NID_name_constraints, &critical, nullptr)));
  malformed = constraints == nullptr && critical != -1;
  return constraints;
}

// One certificate's names against one CA's constraints.
class Comparison {
 public:
  Comparison(const NAME_CONSTRAINTS& constraints, size_t& budget)
      : constraints_(constraints), budget_(budget) {}

  // Checks `name`; returns an X509_V_ERR_*, or X509_V_OK.
  [[nodiscard]] int Check(const GENERAL_NAME& name) {
    bool bound = false;
    bool permitted = false;
    for (size_t i = 0; i < sk_GENERAL_SUBTREE_num(constraints_.permittedSubtrees); ++i) {
      const GENERAL_SUBTREE& tree = *sk_GENERAL_SUBTREE_value(constraints_.permittedSubtrees, i);
      if (tree.base->type != name.type) continue;
      bound = true;
      NameMatch match = NameMatch::kOutside;
      if (const int error = Match(name, tree, Subtree::kPermitted, match); error != X509_V_OK) {
        return error;
      }
      permitted = permitted || match == NameMatch::kWithin;
    }
    if (bound && !permitted) return X509_V_ERR_PERMITTED_VIOLATION;
    for (size_t i = 0; i < sk_GENERAL_SUBTREE_num(constraints_.excludedSubtrees); ++i) {
      const GENERAL_SUBTREE& tree = *sk_GENERAL_SUBTREE_value(constraints_.excludedSubtrees, i);
      if (tree.base->type != name.type) continue;
      NameMatch match = NameMatch::kOutside;
      if (const int error = Match(name, tree, Subtree::kExcluded, match); error != X509_V_OK) {
        return error;
      }
      if (match == NameMatch::kWithin) return X509_V_ERR_EXCLUDED_VIOLATION;
    }
    return X509_V_OK;
  }

 private:
  int Match(const GENERAL_NAME& name, const GENERAL_SUBTREE& tree, Subtree side, NameMatch& match) {
    if (budget_ == 0) return X509_V_ERR_UNSPECIFIED;
    --budget_;
    // RFC 5280 has no use for either field, and forbids them.
    if (tree.maximum != nullptr ||
        (tree.minimum != nullptr && ASN1_INTEGER_get(tree.minimum) != 0)) {
      return X509_V_ERR_SUBTREE_MINMAX;
    }
    match = MatchName(name, *tree.base, side);
    switch (match) {
      case NameMatch::kBadName:
        return X509_V_ERR_UNSUPPORTED_NAME_SYNTAX;
      case NameMatch::kBadConstraint:
        return X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX;
      case NameMatch::kUnsupported:
        return X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE;
      default:
        return X509_V_OK;
    }
  }

  const NAME_CONSTRAINTS& constraints_;
  size_t& budget_;
};

int CheckSubject(X509_NAME* subject, Comparison& comparison) {
  if (X509_NAME_entry_count(subject) == 0) return X509_V_OK;
  GENERAL_NAME name{};
  name.type = GEN_DIRNAME;
  name.d.directoryName = subject;
  if (const int error = comparison.Check(name); error != X509_V_OK) return error;
  // Certificates of old have their email address in the subject.
  for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, i)) >= 0;) {
    name.type = GEN_EMAIL;
    name.d.rfc822Name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
    if (const int error = comparison.Check(name); error != X509_V_OK) return error;
  }
  return X509_V_OK;
}

int CheckCertificate(X509* certificate, const NAME_CONSTRAINTS& constraints, size_t& budget) {
  Comparison comparison(constraints, budget);
  if (const int error =
          CheckSubject(const_cast<X509_NAME*>(X509_get_subject_name(certificate)), comparison);
      error != X509_V_OK) {
    return error;
  }
  int critical = 0;
  const bssl::UniquePtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr && critical != -1) return X509_V_ERR_UNSUPPORTED_NAME_SYNTAX;
  for (size_t i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (const int error = comparison.Check(*sk_GENERAL_NAME_value(names.get(), i));
        error != X509_V_OK) {
      return error;
    }
  }
  return X509_V_OK;
}

}  // namespace

PathFault CheckNameConstraints(const STACK_OF(X509) * path) {
  size_t budget = kMaxNameComparisons;
  for (size_t j = sk_X509_num(path); j-- > 1;) {
    bool malformed = false;
    const Constraints constraints = ReadConstraints(sk_X509_value(path, j), malformed);
    if (malformed) return {Rejection::kBadCertificate, X509_V_ERR_INVALID_EXTENSION, j};
    if (constraints == nullptr) continue;
    for (size_t i = 0; i < j; ++i) {
      X509* const certificate = sk_X509_value(path, i);
      // A CA's certificates for itself carry its own name, unless one is the leaf.
      if (i > 0 && (X509_get_extension_flags(certificate) & EXFLAG_SI) != 0) continue;
      const int error = CheckCertificate(certificate, *constraints, budget);
      if (error != X509_V_OK) {
        ERR_clear_error();
        return {Rejection::kBadCertificate, error, i,
                budget == 0 ? "too many names and name constraints" : "name constraints"};
      }
    }
  }
  ERR_clear_error();
  return {};
}

bool HasDnsConstraint(const STACK_OF(X509) * path) {
  const auto has_dns = [](const STACK_OF(GENERAL_SUBTREE) * trees) {
    for (size_t i = 0; i < sk_GENERAL_SUBTREE_num(trees); ++i) {
      if (sk_GENERAL_SUBTREE_value(trees, i)->base->type == GEN_DNS) return true;
    }
    return false;
  };
  for (size_t i = 1; i < sk_X509_num(path); ++i) {
    bool malformed = false;
    const Constraints constraints = ReadConstraints(sk_X509_value(path, i), malformed);
    if (malformed) return true;  // Who knows.
    if (constraints == nullptr) continue;
    if (has_dns(constraints->permittedSubtrees) || has_dns(constraints->excludedSubtrees)) {
      return true;
    }
  }
  return false;
}

}  // namespace portcullis::tls
