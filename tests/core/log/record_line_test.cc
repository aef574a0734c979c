#include "core/log/record_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/core/log/hostile_text.h"

namespace portcullis::log {
namespace {

using nlohmann::json;

std::string Render(const ConnectionRecord& record) {
  std::array<char, kMaxLineBytes> out;
  return {out.data(), RenderRecord(record, out)};
}

constexpr std::string_view ConnectionRecord::* kTexts[] = {
    &ConnectionRecord::listener,      &ConnectionRecord::peer,
    &ConnectionRecord::local,         &ConnectionRecord::sni,
    &ConnectionRecord::host,          &ConnectionRecord::version,
    &ConnectionRecord::cipher,        &ConnectionRecord::group,
    &ConnectionRecord::alpn,          &ConnectionRecord::client_subject,
    &ConnectionRecord::client_issuer, &ConnectionRecord::client_serial,
    &ConnectionRecord::reason,        &ConnectionRecord::detail,
    &ConnectionRecord::x509_error,    &ConnectionRecord::failed_subject,
    &ConnectionRecord::backend,       &ConnectionRecord::close,
};

TEST(RecordLine, AServedConnectionSaysWhoCameAndWhatWasMoved) {
  std::array<uint8_t, 32> sha256{};
  sha256.fill(0xA5);
  ConnectionRecord record;
  record.time_ns = 1'700'000'000'000'000'000;
  record.listener = "edge";
  record.worker = 1;
  record.peer = "192.0.2.1:50000";
  record.local = "192.0.2.2:8443";
  record.sni = "client.auth.localhost";
  record.host = "client.auth.localhost";
  record.version = "TLSv1.3";
  record.cipher = "TLS_AES_128_GCM_SHA256";
  record.group = "X25519";
  record.alpn = "http/1.1";
  record.resumed = true;
  record.handshake_ms = 1.25;
  record.client_subject = "CN=My Client";
  record.client_issuer = "CN=My Cert Authority";
  record.client_serial = "02";
  record.client_sha256 = sha256;
  record.backend = "127.0.0.1:8080";
  record.requests = 3;
  record.client_rx_bytes = 10;
  record.client_tx_bytes = 20;
  record.backend_rx_bytes = 30;
  record.backend_tx_bytes = 40;
  record.duration_ms = 99;
  record.close = "client";
  std::string hex;
  for (int i = 0; i < 32; ++i) hex += "a5";
  EXPECT_EQ(json::parse(Render(record)), json({{"time", "2023-11-14T22:13:20.000000Z"},
                                               {"event", "connection"},
                                               {"worker", 1},
                                               {"listener", "edge"},
                                               {"peer", "192.0.2.1:50000"},
                                               {"local", "192.0.2.2:8443"},
                                               {"sni", "client.auth.localhost"},
                                               {"host", "client.auth.localhost"},
                                               {"version", "TLSv1.3"},
                                               {"cipher", "TLS_AES_128_GCM_SHA256"},
                                               {"group", "X25519"},
                                               {"alpn", "http/1.1"},
                                               {"resumed", true},
                                               {"handshake_ms", 1.25},
                                               {"client_subject", "CN=My Client"},
                                               {"client_issuer", "CN=My Cert Authority"},
                                               {"client_serial", "02"},
                                               {"client_sha256", hex},
                                               {"backend", "127.0.0.1:8080"},
                                               {"close", "client"},
                                               {"requests", 3},
                                               {"client_rx_bytes", 10},
                                               {"client_tx_bytes", 20},
                                               {"backend_rx_bytes", 30},
                                               {"backend_tx_bytes", 40},
                                               {"duration_ms", 99.0}}));
}

TEST(RecordLine, ARefusedConnectionSaysWhy) {
  ConnectionRecord record;
  record.event = Event::kRefused;
  record.reason = "expired";
  record.detail = "the certificate expired 3 days ago";
  record.x509_error = "certificate has expired";
  record.failed_subject = "CN=My Client";
  record.failed_depth = 0;
  record.alert_sent = 45;
  record.alert_received = 0;  // close_notify is 0 and a value like others
  const json line = json::parse(Render(record));
  EXPECT_EQ(line["event"], "refused");
  EXPECT_EQ(line["reason"], "expired");
  EXPECT_EQ(line["detail"], "the certificate expired 3 days ago");
  EXPECT_EQ(line["x509_error"], "certificate has expired");
  EXPECT_EQ(line["failed_subject"], "CN=My Client");
  EXPECT_EQ(line["failed_depth"], 0);
  EXPECT_EQ(line["alert_sent"], 45);
  EXPECT_EQ(line["alert_received"], 0);
}

TEST(RecordLine, WhatDoesNotApplyIsLeftOut) {
  EXPECT_EQ(Render(ConnectionRecord{}),
            "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"event\":\"connection\",\"worker\":0,"
            "\"resumed\":false,\"client_rx_bytes\":0,\"client_tx_bytes\":0,\"backend_rx_bytes\":0,"
            "\"backend_tx_bytes\":0}\n");
}

// Everything at its longest, of characters which escape to six times their size.
TEST(RecordLine, TheLongestRecordFitsAndIsMarkedTruncated) {
  const std::string endless(100'000, '\x01');
  std::array<uint8_t, 32> sha256{};
  ConnectionRecord record;
  for (const auto text : kTexts) record.*text = endless;
  record.time_ns = std::numeric_limits<int64_t>::max();
  record.worker = UINT32_MAX;
  record.client_sha256 = sha256;
  record.handshake_ms = record.duration_ms = 1e300;
  record.failed_depth = record.alert_sent = record.alert_received = INT32_MAX;
  record.requests = record.client_rx_bytes = record.client_tx_bytes = UINT64_MAX;
  record.backend_rx_bytes = record.backend_tx_bytes = UINT64_MAX;
  const std::string line = Render(record);
  EXPECT_LE(line.size(), kMaxLineBytes);
  const json parsed = json::parse(line);
  EXPECT_EQ(parsed["truncated"], true);
  EXPECT_EQ(parsed["backend_tx_bytes"], UINT64_MAX);
  EXPECT_GE(parsed["client_subject"].get<std::string>().size(), 200u)
      << "enough left to tell who it was";
}

TEST(RecordLine, NoPeerCanForgeAFieldOrALine) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 800; ++i) {
    std::array<std::string, std::size(kTexts)> texts;
    ConnectionRecord record;
    for (size_t t = 0; t < texts.size(); ++t) {
      texts[t] = HostileText(random, i % 10 == 0 ? 2'000 : 10);
      record.*kTexts[t] = texts[t];
    }
    const std::string line = Render(record);
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    ASSERT_EQ(line.back(), '\n');
    const json parsed = json::parse(line);
    ASSERT_EQ(parsed["event"], "connection");
    ASSERT_LE(parsed.size(), std::size(kTexts) + 9);
    ASSERT_FALSE(parsed.contains("a"));
  }
}

TEST(RecordLineDeathTest, AFingerprintHas32Bytes) {
  std::array<uint8_t, 33> too_long{};
  ConnectionRecord record;
  record.client_sha256 = too_long;
  EXPECT_DEATH(Render(record), "client_sha256");
}

}  // namespace
}  // namespace portcullis::log
