#include "tls/library_verify.h"

#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/identity.h"
#include "tls/name_constraints.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

struct Asked {
  const STACK_OF(X509) * path;
  int64_t now;
};

// Where the library's callback finds what it was asked. Not among the context's extra data, which
// are freed under a lock of the whole process.
thread_local const Asked* asked_here = nullptr;

int OnResult(int ok, X509_STORE_CTX* context) {
  if (ok != 0) return ok;
  const Asked* const asked = asked_here;
  const X509* const current = X509_STORE_CTX_get_current_cert(context);
  switch (X509_STORE_CTX_get_error(context)) {
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
      return 1;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return current != nullptr && TimeValue(X509_get0_notAfter(current), INT64_MIN) == asked->now
                 ? 1
                 : 0;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return sk_X509_num(asked->path) == 1 ? 1 : 0;
    case X509_V_ERR_NAME_CONSTRAINTS_WITHOUT_SANS:
      return HasDnsConstraint(asked->path) ? 0 : 1;
    default:
      return 0;
  }
}

// The library builds paths of its own, out of what it is given. It must be the one proposed.
bool IsSamePath(const STACK_OF(X509) * a, const STACK_OF(X509) * b) {
  if (a == nullptr || sk_X509_num(a) != sk_X509_num(b)) return false;
  for (size_t i = 0; i < sk_X509_num(a); ++i) {
    if (X509_cmp(sk_X509_value(a, i), sk_X509_value(b, i)) != 0) return false;
  }
  return true;
}

PathFault FaultOf(X509_STORE_CTX* context, size_t length) {
  const int error = X509_STORE_CTX_get_error(context);
  PathFault fault;
  fault.x509_error = error;
  fault.reason = FromX509Error(error);
  // What the library cannot say of a certificate is the certificate's fault, unless memory is.
  if (error == X509_V_ERR_UNSPECIFIED || fault.reason == Rejection::kNone) {
    fault.reason = Rejection::kBadCertificate;
  }
  const int depth = X509_STORE_CTX_get_error_depth(context);
  fault.depth = std::min(static_cast<size_t>(std::max(depth, 0)), length - 1);
  return fault;
}

PathFault Run(X509_STORE* store, STACK_OF(X509) * path, STACK_OF(X509) * between,
              STACK_OF(X509) * trusted, int64_t now) {
  const size_t length = sk_X509_num(path);
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (context == nullptr ||
      X509_STORE_CTX_init(context.get(), store, sk_X509_value(path, 0), between) != 1) {
    return {Rejection::kInternal, X509_V_ERR_OUT_OF_MEM, 0, {}};
  }
  if (trusted != nullptr) X509_STORE_CTX_set0_trusted_stack(context.get(), trusted);
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT);
  // Not trusted first: of two certificates of one name the path's is meant.
  X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_TRUSTED_FIRST);
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_ALT_CHAINS);
  X509_VERIFY_PARAM_set_time_posix(param, now);
  X509_VERIFY_PARAM_set_depth(param, static_cast<int>(length) + 1);
  const Asked asked{.path = path, .now = now};
  asked_here = &asked;
  X509_STORE_CTX_set_verify_cb(context.get(), OnResult);
  const bool verified = X509_verify_cert(context.get()) == 1;
  asked_here = nullptr;
  if (!verified) return FaultOf(context.get(), length);
  if (!IsSamePath(X509_STORE_CTX_get0_chain(context.get()), path)) {
    return {Rejection::kBadCertificate, X509_V_ERR_UNSPECIFIED, 0,
            "the library builds another path"};
  }
  return {};
}

// How much of the path the library can follow, from the leaf. It takes a CA whose two names are one
// and whose key identifiers do not contradict for self-signed, and looks for no issuer of it.
size_t LengthForLibrary(const STACK_OF(X509) * path) {
  size_t length = 1;
  while (length < sk_X509_num(path)) {
    const uint32_t flags = X509_get_extension_flags(sk_X509_value(path, length++));
    if ((flags & EXFLAG_SS) != 0) break;
  }
  return length;
}

// Whether a certificate restricts policies, which only makes sense along the whole path.
bool RestrictsPolicies(const STACK_OF(X509) * path) {
  constexpr int kKinds[] = {NID_policy_constraints, NID_policy_mappings, NID_inhibit_any_policy};
  for (size_t i = 0; i < sk_X509_num(path); ++i) {
    const X509* const certificate = sk_X509_value(path, i);
    if (std::ranges::any_of(
            kKinds, [&](int nid) { return X509_get_ext_by_NID(certificate, nid, -1) >= 0; })) {
      return true;
    }
  }
  return false;
}

// The signatures from the anchor's down to that of `from`. All else that is asked of these
// certificates CheckPath and CheckNameConstraints ask, but for policies.
PathFault VerifySignatures(const STACK_OF(X509) * path, size_t from) {
  if (RestrictsPolicies(path)) {
    return {Rejection::kBadCertificate, X509_V_ERR_UNSPECIFIED, from,
            "policies restricted over a self-issued CA without key identifiers"};
  }
  for (size_t i = sk_X509_num(path) - 1; i-- > from;) {
    const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(sk_X509_value(path, i + 1));
    if (key == nullptr || X509_verify(sk_X509_value(path, i), key.get()) != 1) {
      return {Rejection::kBadSignature, X509_V_ERR_CERT_SIGNATURE_FAILURE, i, {}};
    }
  }
  return {};
}

}  // namespace

PathFault VerifyPath(X509_STORE* empty_store, STACK_OF(X509) * path, int64_t now) {
  TLS_CHECK(sk_X509_num(path) > 0);
  const size_t length = LengthForLibrary(path);
  PathFault fault;
  if (length < sk_X509_num(path)) {
    fault = VerifySignatures(path, length - 1);
    ERR_clear_error();
    if (fault.reason != Rejection::kNone) return fault;
    const bssl::UniquePtr<STACK_OF(X509)> lower(sk_X509_new_null());
    for (size_t i = 0; i < length; ++i) {
      TLS_CHECK(bssl::PushToStack(lower.get(), bssl::UpRef(sk_X509_value(path, i))));
    }
    return VerifyPath(empty_store, lower.get(), now);
  }
  if (length == 1) {
    // The library looks for a pinned leaf in a store only.
    const bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
    TLS_CHECK(store != nullptr && X509_STORE_add_cert(store.get(), sk_X509_value(path, 0)) == 1);
    fault = Run(store.get(), path, nullptr, nullptr, now);
  } else {
    const bssl::UniquePtr<STACK_OF(X509)> between(sk_X509_new_null());
    for (size_t i = 1; i + 1 < length; ++i) {
      TLS_CHECK(bssl::PushToStack(between.get(), bssl::UpRef(sk_X509_value(path, i))));
    }
    const bssl::UniquePtr<STACK_OF(X509)> trusted(sk_X509_new_null());
    TLS_CHECK(bssl::PushToStack(trusted.get(), bssl::UpRef(sk_X509_value(path, length - 1))));
    fault = Run(empty_store, path, between.get(), trusted.get(), now);
  }
  ERR_clear_error();
  return fault;
}

}  // namespace portcullis::tls
