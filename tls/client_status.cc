#include "tls/client_status.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <string_view>

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/issuer_id.h"
#include "tls/ocsp_request.h"
#include "tls/ocsp_response.h"

namespace portcullis::tls {
namespace {

bssl::UniquePtr<X509> Parse(Bytes der) {
  const uint8_t* in = der.data();
  bssl::UniquePtr<X509> certificate(
      d2i_X509(nullptr, &in, static_cast<long>(der.size())));  // NOLINT(google-runtime-int)
  ERR_clear_error();
  return certificate;
}

// The issuer's certificate: the client has presented it, or the operator knows it.
std::vector<uint8_t> FindIssuer(const PeerIdentity& identity, const X509* leaf,
                                const TrustMaterial& trust) {
  const IssuerId& wanted = identity.path.front().issuer;
  for (size_t i = 1; i < identity.chain_der.size(); ++i) {
    const SharedBytes& der = identity.chain_der[i];
    if (MakeIssuerId(der) == wanted) return {der.begin(), der.end()};
  }
  std::vector<uint32_t> ids;
  trust.known.AppendIssuers(compat::NameHash(X509_get_issuer_name(leaf)), {}, ids);
  for (const uint32_t id : ids) {
    const std::vector<uint8_t>& der = trust.known.at(id).der;
    if (MakeIssuerId(der) == wanted) return der;
  }
  return {};
}

StatusAnswer Unavailable(std::string_view why) { return {.detail = std::string(why)}; }

}  // namespace

StatusKey StatusKeyOf(const PeerIdentity& identity, const TrustMaterial& trust) {
  TLS_CHECK(!identity.path.empty());
  const PathLink& link = identity.path.front();
  return {.issuer = link.issuer, .serial = link.serial, .responder = trust.ocsp_spec.responder_url};
}

std::optional<StatusQuery> MakeStatusQuery(const PeerIdentity& identity,
                                           const TrustMaterial& trust) {
  if (identity.path.empty()) return std::nullopt;
  StatusQuery query;
  query.key = StatusKeyOf(identity, trust);
  query.url = trust.ocsp_spec.responder_url;
  const bssl::UniquePtr<X509> leaf =
      identity.chain_der.empty() ? nullptr : Parse(identity.chain_der.front());
  if (leaf == nullptr) return query;
  if (query.url.empty()) query.url = OcspResponderUrl(leaf.get());
  query.issuer_der = FindIssuer(identity, leaf.get(), trust);
  return query;
}

std::vector<uint8_t> StatusRequest(const StatusQuery& query) {
  const bssl::UniquePtr<X509> issuer = Parse(query.issuer_der);
  if (issuer == nullptr) return {};
  return MakeOcspRequest(OcspCertId(issuer.get(), query.key.serial));
}

StatusAnswer JudgeStatus(Bytes response_der, const StatusQuery& query, int64_t now) {
  const bssl::UniquePtr<X509> issuer = Parse(query.issuer_der);
  if (issuer == nullptr) return Unavailable("the issuer's certificate is not known");
  OcspResponse response;
  OcspFault fault = ParseOcspResponse(response_der, response);
  if (fault.empty()) fault = VerifyOcspResponse(response, issuer.get(), now);
  OcspAnswer answer;
  if (fault.empty()) {
    fault = FindOcspAnswer(response, OcspCertId(issuer.get(), query.key.serial), answer);
  }
  if (!fault.empty()) return Unavailable(fault);
  const int64_t until = OcspFreshUntil(answer, now);
  // As with CRLs, whom an old answer calls revoked does not come in; the next one may say more.
  if (answer.status == OcspStatus::kRevoked) {
    return {.status = ClientStatus::kRevoked,
            .until = until == 0 ? now : until,
            .said_at = answer.this_update,
            .detail = {}};
  }
  if (until == 0) return Unavailable("the answer is not of this time");
  if (answer.status == OcspStatus::kUnknown) {
    return Unavailable("the responder does not know the certificate");
  }
  return {
      .status = ClientStatus::kGood, .until = until, .said_at = answer.this_update, .detail = {}};
}

}  // namespace portcullis::tls
