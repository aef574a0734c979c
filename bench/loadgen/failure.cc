#include "bench/loadgen/failure.h"

#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portcullis::bench {
namespace {

const char* Where(Stage stage) {
  switch (stage) {
    case Stage::kConnect:
      return "at connect";
    case Stage::kHandshake:
      return "in the handshake";
    case Stage::kAnswer:
      return "before the answer";
    case Stage::kBody:
      return "in the answer";
    case Stage::kIdle:
      return "while idle";
  }
  return "";
}

// Some servers refuse by cutting the connection, before or after the client's handshake is over.
bool MayRefuse(Stage stage) { return stage == Stage::kHandshake || stage == Stage::kAnswer; }

bool JudgesCertificate(int alert) {
  switch (alert) {
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_NO_CERTIFICATE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

}  // namespace

Failure AtEof(Stage stage) {
  if (stage == Stage::kBody) return {.kind = "short body"};
  return {.kind = absl::StrCat("eof ", Where(stage)), .refusal = MayRefuse(stage)};
}

Failure AtError(Stage stage, int error) {
  if (stage == Stage::kConnect) {
    const char* const hint =
        error == EADDRNOTAVAIL ? " (no source port left? --source and --reset help)" : "";
    return {.kind = absl::StrCat("connect: ", std::strerror(error), hint)};
  }
  if (error == ECONNRESET || error == EPIPE)
    return {.kind = absl::StrCat("reset ", Where(stage)), .refusal = MayRefuse(stage)};
  return {.kind = absl::StrCat(std::strerror(error), " ", Where(stage))};
}

Failure AtTimeout(Stage stage) { return {.kind = absl::StrCat("timeout ", Where(stage))}; }

Failure AtAlert(std::string kind, int alert) {
  return {.kind = std::move(kind), .refusal = JudgesCertificate(alert)};
}

Failure AtStatus(uint16_t status) {
  const bool page = status == 400 || status == 495 || status == 496;
  return {.kind = absl::StrCat(page ? "refused by page: " : "status: ", status),
          .refusal = page || status == 401 || status == 403};
}

Failure Other(std::string kind) { return {.kind = std::move(kind)}; }

}  // namespace portcullis::bench
