#include "bench/loadgen/failure.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cerrno>

namespace portcullis::bench {
namespace {

void Expect(const Failure& failure, const char* kind, bool refusal) {
  EXPECT_EQ(failure.kind, kind);
  EXPECT_EQ(failure.refusal, refusal) << kind;
}

TEST(Failure, NamesWhatAndWhere) {
  Expect(AtError(Stage::kConnect, ECONNREFUSED), "connect: Connection refused", false);
  Expect(
      AtError(Stage::kConnect, EADDRNOTAVAIL),
      "connect: Cannot assign requested address (no source port left? --source and --reset help)",
      false);
  Expect(AtError(Stage::kHandshake, ECONNRESET), "reset in the handshake", true);
  Expect(AtError(Stage::kAnswer, ECONNRESET), "reset before the answer", true);
  Expect(AtError(Stage::kBody, ECONNRESET), "reset in the answer", false);
  Expect(AtEof(Stage::kHandshake), "eof in the handshake", true);
  Expect(AtEof(Stage::kBody), "short body", false);
  Expect(AtEof(Stage::kIdle), "eof while idle", false);
  Expect(AtTimeout(Stage::kHandshake), "timeout in the handshake", false);
}

TEST(Failure, OnlyWhatJudgesTheClientIsARefusal) {
  Expect(AtAlert("alert: unknown_ca", SSL_AD_UNKNOWN_CA), "alert: unknown_ca", true);
  Expect(AtAlert("alert: internal_error", SSL_AD_INTERNAL_ERROR), "alert: internal_error", false);
  Expect(AtStatus(400), "refused by page: 400", true);
  Expect(AtStatus(495), "refused by page: 495", true);
  Expect(AtStatus(496), "refused by page: 496", true);
  Expect(AtStatus(401), "status: 401", true);
  Expect(AtStatus(403), "status: 403", true);
  Expect(AtStatus(404), "status: 404", false);
  Expect(AtStatus(503), "status: 503", false);
}

}  // namespace
}  // namespace portcullis::bench
