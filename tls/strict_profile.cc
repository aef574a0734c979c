#include "tls/strict_profile.h"

#include <openssl/err.h>

#include <optional>
#include <vector>

#include "tls/strict_rules.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

PathFault Fault(Rejection reason, size_t depth, std::string_view detail) {
  return {.reason = reason, .x509_error = ToX509Error(reason), .depth = depth, .detail = detail};
}

const StrictRule* FirstBroken(std::span<const StrictRule> rules, const StrictSubject& subject) {
  for (const StrictRule& rule : rules) {
    if (!rule.holds(subject)) return &rule;
  }
  return nullptr;
}

}  // namespace

PathFault CheckStrict(const STACK_OF(X509) * path) {
  const size_t length = sk_X509_num(path);
  if (length == 0) return Fault(Rejection::kInternal, 0, "no path");
  std::optional<CertificateFields> leaf_fields;
  for (size_t depth = 0; depth < length; ++depth) {
    X509* const certificate = sk_X509_value(path, depth);
    std::optional<CertificateFields> fields = ReadCertificateFields(certificate);
    if (!fields.has_value()) return Fault(Rejection::kBadCertificate, depth, "not DER");
    const StrictSubject subject{
        .certificate = certificate,
        .fields = &*fields,
        .is_leaf = depth == 0,
        .is_anchor = depth + 1 == length,
        .self_issued = X509_NAME_cmp(X509_get_subject_name(certificate),
                                     X509_get_issuer_name(certificate)) == 0};
    for (const std::span<const StrictRule> group :
         {FormRules(), ExtensionRules(), UsageRules(), NameRules()}) {
      const StrictRule* const broken = FirstBroken(group, subject);
      ERR_clear_error();
      if (broken != nullptr) return Fault(broken->reason, depth, broken->fault);
    }
    if (depth == 0) leaf_fields = std::move(fields);
  }
  const StrictSubject leaf{.certificate = sk_X509_value(path, 0),
                           .fields = &*leaf_fields,
                           .is_leaf = true,
                           .is_anchor = length == 1};
  const StrictRule* const broken = FirstBroken(ClientRules(), leaf);
  return broken == nullptr ? PathFault{} : Fault(broken->reason, 0, broken->fault);
}

}  // namespace portcullis::tls
