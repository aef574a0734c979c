// workers, pin_workers, admin, log, timeouts, limits: each field's default, an explicit value, and
// what it refuses.

#include <gtest/gtest.h>

#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

using std::chrono::hours;

TEST(Globals, HaveDefaults) {
  const Config config = Accepted(kSample);
  EXPECT_EQ(config.workers, 0u);
  EXPECT_TRUE(config.pin_workers);
  EXPECT_EQ(config.admin.address, "127.0.0.1:9180");
  EXPECT_EQ(config.log.level, LogLevel::kInfo);
  EXPECT_EQ(config.log.connections, "stdout");
  EXPECT_EQ(config.timeouts.handshake, milliseconds(10'000));
  EXPECT_EQ(config.timeouts.request_head, milliseconds(15'000));
  EXPECT_EQ(config.timeouts.idle, milliseconds(60'000));
  EXPECT_EQ(config.timeouts.write_stall, milliseconds(30'000));
  EXPECT_EQ(config.timeouts.response, milliseconds(60'000));
  EXPECT_EQ(config.timeouts.drain, milliseconds(10'000));
  EXPECT_EQ(config.timeouts.lapse, milliseconds(1'000));
  EXPECT_EQ(config.limits.max_connections, 16384u);
  EXPECT_EQ(config.limits.max_handshakes, 4096u);
  EXPECT_EQ(config.limits.max_request_head_bytes, 32768u);
  EXPECT_EQ(config.limits.max_headers, 128u);
  EXPECT_EQ(config.limits.max_chain_bytes, 65536u);
}

TEST(Globals, TakeTheirValues) {
  const Config config =
      Accepted(WithTop("workers: 4\npin_workers: false\nadmin: {address: '[::1]:0'}\n"
                       "log: {level: error, connections: stderr}\n"
                       "timeouts: {handshake: 1s, request_head: 2s, idle: 3m, write_stall: 4ms, "
                       "response: 24h, drain: 0s, lapse: 5ms}\n"
                       "limits: {max_connections: 5, max_handshakes: 4, max_request_head_bytes: "
                       "16KiB, max_headers: 10, "
                       "max_chain_bytes: 1MiB}\n"));
  EXPECT_EQ(config.workers, 4u);
  EXPECT_FALSE(config.pin_workers);
  EXPECT_EQ(config.admin.address, "[::1]:0");
  EXPECT_EQ(config.log.level, LogLevel::kError);
  EXPECT_EQ(config.log.connections, "stderr");
  EXPECT_EQ(config.timeouts.handshake, milliseconds(1'000));
  EXPECT_EQ(config.timeouts.request_head, milliseconds(2'000));
  EXPECT_EQ(config.timeouts.idle, milliseconds(180'000));
  EXPECT_EQ(config.timeouts.write_stall, milliseconds(4));
  EXPECT_EQ(config.timeouts.response, hours(24));
  EXPECT_EQ(config.timeouts.drain, milliseconds(0));
  EXPECT_EQ(config.timeouts.lapse, milliseconds(5));
  EXPECT_EQ(config.limits.max_connections, 5u);
  EXPECT_EQ(config.limits.max_handshakes, 4u);
  EXPECT_EQ(config.limits.max_request_head_bytes, 16384u);
  EXPECT_EQ(config.limits.max_headers, 10u);
  EXPECT_EQ(config.limits.max_chain_bytes, 1048576u);
}

TEST(Globals, OfIssuingAndReloadingHaveDefaults) {
  const Config config = Accepted(kSample);
  EXPECT_EQ(config.limits.verdict_cache, 8192u);
  EXPECT_EQ(config.log.rejections_kept, 32u);
  EXPECT_EQ(config.tickets.secret_file, "");
  EXPECT_EQ(config.tickets.slot, hours(1));
  EXPECT_TRUE(config.reload.is_percent);
  EXPECT_EQ(config.reload.refuse_over, 100u);
}

TEST(Globals, OfIssuingAndReloadingTakeTheirValues) {
  const Config config = Accepted(
      WithTop("limits: {verdict_cache: 0}\nlog: {rejections_kept: 1024}\n"
              "tickets: {secret_file: /run/secret, slot: 12h}\nreload: {refuse_over: 10%}\n"));
  EXPECT_EQ(config.limits.verdict_cache, 0u);
  EXPECT_EQ(config.log.rejections_kept, 1024u);
  EXPECT_EQ(config.tickets.secret_file, "/run/secret");
  EXPECT_EQ(config.tickets.where.line, 3);
  EXPECT_EQ(config.tickets.where.column, 24);
  EXPECT_EQ(config.tickets.slot, hours(12));
  EXPECT_TRUE(config.reload.is_percent);
  EXPECT_EQ(config.reload.refuse_over, 10u);
  const Config counted = Accepted(WithTop("reload: {refuse_over: 0}\n"));
  EXPECT_FALSE(counted.reload.is_percent);
  EXPECT_EQ(counted.reload.refuse_over, 0u);
}

TEST(Globals, TakeEveryWord) {
  EXPECT_EQ(Accepted(WithTop("workers: auto\n")).workers, 0u);
  EXPECT_EQ(Accepted(WithTop("log: {level: debug}\n")).log.level, LogLevel::kDebug);
  EXPECT_EQ(Accepted(WithTop("log: {level: info}\n")).log.level, LogLevel::kInfo);
  EXPECT_EQ(Accepted(WithTop("log: {level: warn}\n")).log.level, LogLevel::kWarn);
  EXPECT_EQ(Accepted(WithTop("log: {connections: off}\n")).log.connections, "off");
  EXPECT_EQ(Accepted(WithTop("log: {connections: /var/log/c.json}\n")).log.connections,
            "/var/log/c.json");
  EXPECT_EQ(Accepted(WithTop("admin: {address: off}\n")).admin.address, "");
  EXPECT_EQ(Accepted(WithTop("admin: {address: ''}\n")).admin.address, "");
}

TEST(Globals, MayHaveEmptySections) {
  const Config config = Accepted(WithTop("admin:\nlog:\ntimeouts:\nlimits: {}\ntls:\n"));
  EXPECT_EQ(config.admin.address, "127.0.0.1:9180");
  EXPECT_EQ(config.log.connections, "stdout");
}

struct BadGlobal {
  std::string_view line;    // in front of the sample
  std::string_view errors;  // in full, without "c.yaml:1:"
};

class BadGlobals : public testing::TestWithParam<BadGlobal> {};

TEST_P(BadGlobals, AreRefusedInFull) {
  EXPECT_EQ(Errors(WithTop(std::string(GetParam().line) + "\n")),
            "c.yaml:1:" + std::string(GetParam().errors));
}

const BadGlobal kBadGlobals[] = {
    {"workers: 0", "10: workers: found '0'; allowed: auto, or a whole number from 1 to 1024"},
    {"workers: -3", "10: workers: found '-3'; allowed: auto, or a whole number from 1 to 1024"},
    {"workers: 1025", "10: workers: found '1025'; allowed: auto, or a whole number from 1 to 1024"},
    {"workers: 1.5", "10: workers: found '1.5'; allowed: auto, or a whole number from 1 to 1024"},
    {"workers: 0x10", "10: workers: found '0x10'; allowed: auto, or a whole number from 1 to 1024"},
    {"workers: 99999999999999999999",
     "10: workers: found '99999999999999999999'; allowed: auto, or a whole number from 1 to 1024"},
    {"workers:", "1: workers: found nothing; allowed: auto, or a whole number from 1 to 1024"},
    {"workers: [1]", "10: workers: found a list; allowed: auto, or a whole number from 1 to 1024"},
    {"limits: {verdict_cache: -1}",
     "25: limits.verdict_cache: found '-1'; allowed: a whole number from 0 to 1048576"},
    {"log: {rejections_kept: 1025}",
     "24: log.rejections_kept: found '1025'; allowed: a whole number from 0 to 1024"},
    {"tickets: {secret_flie: x}",
     "11: tickets.secret_flie: found an unknown field; allowed: secret_file, slot; did you mean "
     "'secret_file'?"},
    {"tickets: {slot: 1500ms}", "17: tickets.slot: found '1500ms'; allowed: whole seconds"},
    {"tickets: {slot: 8h, secret_file: ''}",
     "34: tickets.secret_file: found ''; allowed: text on one line; it is empty"},
    {"reload: {refuse_over: 101%}",
     "23: reload.refuse_over: found '101%'; allowed: a percentage from 0% to 100%, or a whole "
     "number of clients from 0 to 1000000"},
    {"reload: {refuse_over: 1.5%}",
     "23: reload.refuse_over: found '1.5%'; allowed: a percentage from 0% to 100%, or a whole "
     "number of clients from 0 to 1000000"},
    {"pin_workers: yes", "14: pin_workers: found 'yes'; allowed: true, false"},
    {"pin_workers: ture",
     "14: pin_workers: found 'ture'; allowed: true, false; did you mean 'true'?"},
    {"admin: 127.0.0.1:9180",
     "8: admin: found '127.0.0.1:9180'; allowed: a mapping with the fields address"},
    {"admin: [x]", "8: admin: found a list; allowed: a mapping with the fields address"},
    {"admin: {address: localhost:9180}",
     "18: admin.address: found 'localhost:9180'; allowed: off, or IPv4:port, [IPv6]:port or "
     "*:port, port 0 to 65535; "
     "a name cannot be listened on, only an address"},
    {"admin: {address: 127.0.0.1:8443}",
     "18: admin.address: found '127.0.0.1:8443', which overlaps with the address of listeners[0] "
     "(line 3); "
     "allowed: an address of its own"},
    {"admin: {port: 1}", "9: admin.port: found an unknown field; allowed: address"},
    {"log: {level: loud}", "14: log.level: found 'loud'; allowed: debug, info, warn, error"},
    {"log: {level: Info}",
     "14: log.level: found 'Info'; allowed: debug, info, warn, error; did you mean 'info'?"},
    {"log: {levle: info}",
     "7: log.levle: found an unknown field; allowed: connections, level, rejections_kept; did you "
     "mean 'level'?"},
    {"log: {connections: ''}",
     "20: log.connections: found ''; allowed: stdout, stderr, off, or the path of a file; it is "
     "empty"},
    {"log: {connections: {file: x}}",
     "20: log.connections: found a mapping; allowed: stdout, stderr, off, or the path of a file"},
    {"timeouts: {handshake: -10s}",
     "23: timeouts.handshake: found '-10s'; allowed: a duration such as 250ms, 10s, 2m or 1h, from "
     "1ms to 24h"},
    {"timeouts: {request_head: 0s}",
     "26: timeouts.request_head: found '0s'; allowed: a duration such as 250ms, 10s, 2m or 1h, "
     "from 1ms to 24h"},
    {"timeouts: {idle: 25h}",
     "18: timeouts.idle: found '25h'; allowed: a duration such as 250ms, 10s, 2m or 1h, from 1ms "
     "to 24h"},
    {"timeouts: {write_stall: 30}",
     "25: timeouts.write_stall: found '30'; allowed: a duration such as 250ms, 10s, 2m or 1h, from "
     "1ms to 24h"},
    {"timeouts: {response: }",
     "12: timeouts.response: found nothing; allowed: a duration such as 250ms, 10s, 2m or 1h, from "
     "1ms to 24h"},
    {"timeouts: {drain: 1 s}",
     "19: timeouts.drain: found '1 s'; allowed: a duration such as 250ms, 10s, 2m or 1h, from 0s "
     "to 24h"},
    {"timeouts: {connect: 1s}",
     "12: timeouts.connect: found an unknown field; allowed: drain, handshake, idle, lapse, "
     "request_head, "
     "response, "
     "write_stall"},
    {"limits: {max_connections: 0}",
     "27: limits.max_connections: found '0'; allowed: a whole number from 1 to 4194304"},
    {"limits: {max_handshakes: many}",
     "26: limits.max_handshakes: found 'many'; allowed: a whole number from 1 to 4194304"},
    {"limits: {max_request_head_bytes: 32KB}",
     "34: limits.max_request_head_bytes: found '32KB'; allowed: a size such as 32768, 32KiB or "
     "1MiB, from 1KiB to "
     "1MiB"},
    {"limits: {max_headers: 1025}",
     "23: limits.max_headers: found '1025'; allowed: a whole number from 1 to 1024"},
    {"limits: {max_chain_bytes: 1023}",
     "27: limits.max_chain_bytes: found '1023'; allowed: a size such as 32768, 32KiB or 1MiB, from "
     "1KiB to 1MiB"},
    {"limits: {max_conections: 3}",
     "10: limits.max_conections: found an unknown field; allowed: max_chain_bytes, "
     "max_connections, max_handshakes, "
     "max_headers, max_request_head_bytes, verdict_cache; did you mean 'max_connections'?"},
    {"limits: {max_headers: 9, max_headers: 9}",
     "26: limits.max_headers: found the field a second time, the first in line 1; allowed: each "
     "field once"},
    {"listners: []",
     "1: listners: found an unknown field; allowed: admin, backends, limits, listeners, log, "
     "pin_workers, reload, tickets, timeouts, "
     "tls, trusts, virtual_hosts, workers; did you mean 'listeners'?"},
    {"{a: b}: c",
     "1: a mapping: found an unknown field; allowed: admin, backends, limits, listeners, log, "
     "pin_workers, reload, tickets, timeouts, "
     "tls, trusts, virtual_hosts, workers"},
    {"'two\\nlines': c",
     "1: 'two\\nlines': found an unknown field; allowed: admin, backends, limits, listeners, log, "
     "pin_workers, reload, tickets, timeouts, tls, trusts, virtual_hosts, workers"},
};

INSTANTIATE_TEST_SUITE_P(Table, BadGlobals, testing::ValuesIn(kBadGlobals));

TEST(Globals, WarnOfALimitThatLimitsNothing) {
  EXPECT_EQ(Warnings(WithTop("limits: {max_connections: 10, max_handshakes: 11}\n")),
            "c.yaml:1:47: limits.max_handshakes: has no effect: max_connections is 10\n");
  EXPECT_EQ(Warnings(WithTop("limits: {max_connections: 10}\n")), "");
}

}  // namespace
}  // namespace portcullis::config
