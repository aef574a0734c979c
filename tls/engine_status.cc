// An Engine waiting for what the issuer's OCSP responder says of its client.
#include <optional>
#include <utility>

#include "tls/check.h"
#include "tls/engine.h"
#include "tls/x509_map.h"

namespace portcullis::tls {

// Whoever is refused already, or forgiven an unknown CA, is not asked about; nor is an anchor.
bool Engine::NeedsStatus() const {
  return !status_known_ && host_->verifier != nullptr && verdict_.accepted() &&
         verdict_.identity != nullptr && !verdict_.identity->path.empty() &&
         host_->verifier->trust().ocsp_spec.mode != OcspMode::kOff;
}

StatusKey Engine::status_key() const {
  TLS_CHECK(NeedsStatus());
  return StatusKeyOf(*verdict_.identity, host_->verifier->trust());
}

StatusQuery Engine::status_query() const {
  TLS_CHECK(NeedsStatus());
  std::optional<StatusQuery> query = MakeStatusQuery(*verdict_.identity, host_->verifier->trust());
  return query.has_value() ? *std::move(query) : StatusQuery();
}

void Engine::SetStatus(const StatusAnswer& answer) {
  TLS_CHECK(NeedsStatus());
  status_known_ = true;
  status_until_ = answer.until;
  const bool required = host_->verifier->trust().ocsp_spec.mode == OcspMode::kRequire;
  if (answer.status == ClientStatus::kRevoked) {
    verdict_.rejection = Rejection::kRevoked;
  } else if (answer.status == ClientStatus::kUnavailable && required) {
    verdict_.rejection = Rejection::kOcspUnavailable;
  } else {
    return;
  }
  verdict_.x509_error = ToX509Error(verdict_.rejection);
  verdict_.failed_depth = 0;
  verdict_.failed_subject = verdict_.identity->subject;
  verdict_.detail = answer.detail.empty() ? "says the OCSP responder" : answer.detail;
}

}  // namespace portcullis::tls
