#include "bench/loadgen/flag_values.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "metrics/utf8.h"

namespace portcullis::bench {
namespace {

// Whether it is an address or port that one can listen on, but not connect to.
bool IsNobody(const io::SocketAddress& address) {
  if (!address.is_ip()) return false;
  const io::SocketAddress plain = address.Unmapped();
  const auto bytes = plain.ip_bytes();
  return address.port() == 0 ||
         std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

}  // namespace

absl::Status NotWanted(const std::string& value, const std::string& wanted) {
  return absl::InvalidArgumentError(absl::StrCat("found '", value, "', wanted ", wanted));
}

absl::Status ReadCount(const std::string& value, uint64_t most, uint64_t& out) {
  if (!absl::SimpleAtoi(value, &out) || out == 0 || out > most) {
    return NotWanted(value, absl::StrCat("a number from 1 to ", most));
  }
  return absl::OkStatus();
}

absl::Status ReadCount(const std::string& value, uint32_t most, uint32_t& out) {
  uint64_t wide = 0;
  absl::Status status = ReadCount(value, uint64_t{most}, wide);
  if (status.ok()) out = static_cast<uint32_t>(wide);
  return status;
}

absl::Status ReadBytes(const std::string& value, uint64_t& out) {
  constexpr uint64_t kMost = uint64_t{1} << 40;
  std::string digits = value;
  uint64_t unit = 1;
  if (!digits.empty()) {
    const size_t power = std::string("kmg").find(digits.back());
    if (power != std::string::npos) {
      unit = uint64_t{1} << (10 * (power + 1));
      digits.pop_back();
    }
  }
  if (!absl::SimpleAtoi(digits, &out) || out == 0 || out > kMost / unit) {
    return NotWanted(value, "bytes, such as 65536, 64k or 1g");
  }
  out *= unit;
  return absl::OkStatus();
}

absl::Status ReadSeconds(const std::string& value, double& out) {
  if (!absl::SimpleAtod(absl::StripSuffix(value, "s"), &out) || !std::isfinite(out) || out < 0 ||
      out > 86'400) {
    return NotWanted(value, "seconds, at most 86400");
  }
  return absl::OkStatus();
}

absl::Status ReadRange(const std::string& value, NumberRange& out) {
  constexpr uint32_t kMost = 100'000'000;
  const std::vector<std::string> ends = absl::StrSplit(value, '-');
  uint32_t last = 0;
  if (ends.size() != 2 || !absl::SimpleAtoi(ends[0], &out.first) ||
      !absl::SimpleAtoi(ends[1], &last) || last < out.first || last > kMost) {
    return NotWanted(value, absl::StrCat("a range such as 0-9999, to ", kMost, " at most"));
  }
  out.size = last - out.first + 1;
  return absl::OkStatus();
}

absl::Status ReadShare(const std::string& value, uint32_t& ppm) {
  double percent = 0;
  if (!absl::SimpleAtod(absl::StripSuffix(value, "%"), &percent) || !std::isfinite(percent) ||
      percent < 0 || percent > 100) {
    return NotWanted(value, "percent, 0 to 100");
  }
  ppm = static_cast<uint32_t>(std::lround(percent * 10'000));
  return absl::OkStatus();
}

absl::Status ReadBad(const std::string& value, Options& options) {
  const std::string wanted = "shares in percent: none=5,expired=5,wrong_ca=5,revoked=5";
  uint64_t sum = 0;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(value, ','))) {
    const std::vector<std::string> sides = absl::StrSplit(part, absl::MaxSplits('=', 1));
    size_t kind = 0;
    while (kind < kNumBadKinds && sides[0] != BadKindName(static_cast<BadKind>(kind))) ++kind;
    if (kind == kNumBadKinds || sides.size() != 2 ||
        !ReadShare(sides[1], options.bad_ppm[kind]).ok()) {
      return NotWanted(value, wanted);
    }
  }
  for (const uint32_t ppm : options.bad_ppm) sum += ppm;
  return sum <= 1'000'000 ? absl::OkStatus() : NotWanted(value, wanted + ", at most 100 in all");
}

absl::Status ReadTarget(const std::string& value, io::SocketAddress& out) {
  const absl::StatusOr<io::SocketAddress> address = io::SocketAddress::Parse(value);
  if (!address.ok() || IsNobody(*address) || value.starts_with('*')) {
    return NotWanted(value,
                     "the address and port of one server: 127.0.0.1:8443, [::1]:8443 or "
                     "unix:/run/app.sock");
  }
  out = *address;
  return absl::OkStatus();
}

absl::Status ReadGroups(const std::string& value, std::string& out) {
  const bssl::UniquePtr<SSL_CTX> scratch(SSL_CTX_new(TLS_with_buffers_method()));
  const auto known = [&scratch](const std::string& list) {
    const bool good = SSL_CTX_set1_curves_list(scratch.get(), list.c_str()) == 1;
    ERR_clear_error();
    return good;
  };
  if (known(value)) {
    out = value;
    return absl::OkStatus();
  }
  // The library does not tell which it has.
  std::string all;
  for (const char* name : {"X25519MLKEM768", "X25519", "P-256", "P-384", "P-521"}) {
    if (known(name)) absl::StrAppend(&all, all.empty() ? "" : ", ", name);
  }
  return NotWanted(value, absl::StrCat("one or more of ", all, " with : between"));
}

absl::Status ReadPath(const std::string& value, std::string& out) {
  const bool visible =
      std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!visible || !value.starts_with('/')) {
    return NotWanted(metrics::SanitizeUtf8(value),
                     "a path that begins with / and has no spaces, line ends or bytes beyond ASCII "
                     "(write them as %20 and so on)");
  }
  out = value;
  return absl::OkStatus();
}

absl::Status ReadLabel(const std::string& value, std::string& out) {
  if (metrics::SanitizeUtf8(value) != value)
    return NotWanted(metrics::SanitizeUtf8(value), "UTF-8");
  out = value;
  return absl::OkStatus();
}

}  // namespace portcullis::bench
