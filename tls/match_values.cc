#include "tls/match_values.h"

#include <arpa/inet.h>
#include <openssl/base64.h>

#include <algorithm>
#include <cstring>

#include "tls/absl_text.h"

namespace portcullis::tls {
namespace {

constexpr size_t kMaxLabelBytes = 63;
constexpr size_t kMaxLocalPartBytes = 64;
constexpr size_t kMaxSpiffeBytes = 2048;
constexpr size_t kMaxTrustDomainBytes = 255;
constexpr size_t kMaxSerialDigits = 128;
constexpr size_t kDigestBytes = 32;
constexpr std::string_view kSpiffeScheme = "spiffe://";

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr char ToLower(char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool IsVisible(char c) { return c > ' ' && c < '\x7F'; }

constexpr int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

absl::Status Wrong(std::string_view why) { return absl::InvalidArgumentError(AbslText(why)); }

absl::StatusOr<std::string> CanonicalDns(std::string_view value) {
  std::string_view suffix = value;
  std::string canonical;
  if (value.starts_with("**.")) {
    canonical = "..";
    suffix.remove_prefix(3);
  } else if (value.starts_with("*.")) {
    canonical = ".";
    suffix.remove_prefix(2);
  }
  if (suffix.find('*') != std::string_view::npos) return Wrong("a '*' may only stand in front");
  std::array<char, kMaxDnsBytes> buffer;
  const std::optional<std::string_view> lower = LowerDnsName(suffix, buffer);
  if (!lower) return Wrong("no DNS name (write names beyond ASCII as A-labels, xn--...)");
  return canonical.append(*lower);
}

absl::StatusOr<std::string> CanonicalEmail(std::string_view value) {
  const bool whole_domain = value.starts_with('@');
  std::array<char, kMaxEmailBytes> buffer;
  const std::string address = whole_domain ? "x" + std::string(value) : std::string(value);
  const std::optional<std::string_view> lower = LowerEmailDomain(address, buffer);
  if (!lower) return Wrong("no mail address");
  return std::string(lower->substr(whole_domain ? 1 : 0));
}

absl::StatusOr<std::string> CanonicalIp(std::string_view value) {
  const size_t slash = value.find('/');
  const std::optional<IpAddress> address = ParseIp(value.substr(0, slash));
  if (!address) return Wrong("no IP address");
  const int max_bits = address->v6 ? 128 : 32;
  int bits = max_bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = value.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || !std::all_of(digits.begin(), digits.end(), IsDigit))
      return Wrong("no prefix length after '/'");
    bits = 0;
    for (const char c : digits) bits = bits * 10 + (c - '0');
    if (bits > max_bits) return Wrong("the prefix is longer than the address");
  }
  const IpKey key = MakeIpKey(*address, static_cast<uint8_t>(bits));
  const IpKey whole = MakeIpKey(*address, static_cast<uint8_t>(max_bits));
  if (!std::equal(key.begin() + 2, key.end(), whole.begin() + 2)) {
    return Wrong("the address has bits set beyond its prefix");
  }
  return std::string(key.data(), key.size());
}

// The digits of `value` in upper case, colons between bytes left out; nothing where it is not hex.
std::optional<std::string> HexDigits(std::string_view value) {
  std::string digits;
  size_t in_group = 0;
  const bool grouped = value.find(':') != std::string_view::npos;
  for (const char c : value) {
    if (c == ':') {
      // The first byte may be written as one digit.
      if (in_group != 2 && !(in_group == 1 && digits.size() == 1)) return std::nullopt;
      in_group = 0;
      continue;
    }
    const int digit = HexDigit(c);
    if (digit < 0 || (grouped && ++in_group > 2)) return std::nullopt;
    digits.push_back("0123456789ABCDEF"[digit]);
  }
  if (digits.empty() || (grouped && in_group != 2)) return std::nullopt;
  return digits;
}

absl::StatusOr<std::string> CanonicalSerial(std::string_view value) {
  const std::optional<std::string> digits = HexDigits(value);
  if (!digits) return Wrong("not hexadecimal");
  if (digits->size() > kMaxSerialDigits) return Wrong("longer than any serial number");
  return std::string(SerialDigits(*digits));
}

std::optional<std::string> DigestOfHex(std::string_view value) {
  const std::optional<std::string> digits = HexDigits(value);
  if (!digits || digits->size() != 2 * kDigestBytes) return std::nullopt;
  std::string digest;
  for (size_t i = 0; i < digits->size(); i += 2) {
    digest.push_back(static_cast<char>(HexDigit((*digits)[i]) << 4 | HexDigit((*digits)[i + 1])));
  }
  return digest;
}

std::optional<std::string> DigestOfBase64(std::string_view value) {
  constexpr size_t kChars = 44;
  for (const std::string_view prefix : {"sha256/", "/"}) {
    // curl writes sha256//, HPKP's heirs sha256/; a slash may also begin the digest.
    if (value.size() > kChars && value.starts_with(prefix)) value.remove_prefix(prefix.size());
  }
  std::array<uint8_t, kChars / 4 * 3> decoded;
  size_t size = 0;
  if (value.size() != kChars ||
      EVP_DecodeBase64(decoded.data(), &size, decoded.size(),
                       reinterpret_cast<const uint8_t*>(value.data()), value.size()) != 1 ||
      size != kDigestBytes) {
    return std::nullopt;
  }
  return std::string(reinterpret_cast<const char*>(decoded.data()), size);
}

absl::StatusOr<std::string> CanonicalDigest(MatchField field, std::string_view value) {
  std::optional<std::string> digest = DigestOfHex(value);
  if (!digest && field == MatchField::kSpki) digest = DigestOfBase64(value);
  if (!digest) return Wrong("no SHA-256 digest (32 bytes)");
  return *std::move(digest);
}

// Arcs of digits without leading zeros, two at least, within what X.660 gives the first two.
bool IsOid(std::string_view text) {
  size_t arcs = 0;
  std::string_view first;
  while (true) {
    const size_t dot = text.find('.');
    const std::string_view arc = text.substr(0, dot);
    if (arc.empty() || !std::all_of(arc.begin(), arc.end(), IsDigit)) return false;
    if (arc.size() > 1 && arc.front() == '0') return false;
    if (arcs == 0 && (arc.size() > 1 || arc.front() > '2')) return false;
    if (arcs == 0) first = arc;
    const bool over_39 = arc.size() > 2 || (arc.size() == 2 && arc.front() > '3');
    if (arcs == 1 && first.front() < '2' && over_39) return false;
    ++arcs;
    if (dot == std::string_view::npos) return arcs >= 2;
    text.remove_prefix(dot + 1);
  }
}

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), [](char c) {
           return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '.' || c == '-' || c == '_';
         });
}

}  // namespace

std::string_view AllowedValues(MatchField field) {
  switch (field) {
    case MatchField::kCommonName:
    case MatchField::kOrganization:
    case MatchField::kOrganizationalUnit:
      return "the whole value of the attribute";
    case MatchField::kDns:
      return "a DNS name, *.suffix for one label more, or **.suffix for one or more";
    case MatchField::kUri:
      return "a URI";
    case MatchField::kSpiffe:
      return "spiffe://trust-domain, or spiffe://trust-domain/path without a slash at its end";
    case MatchField::kEmail:
      return "a mail address, or @domain";
    case MatchField::kIp:
      return "an IPv4 or IPv6 address, or a network such as 10.0.0.0/8 or 2001:db8::/32";
    case MatchField::kSubject:
    case MatchField::kIssuer:
      return "a whole name as in RFC 2253, such as CN=alice,O=Example";
    case MatchField::kSerial:
      return "a serial number in hexadecimal, such as 0A:1B or a1b";
    case MatchField::kSha256:
      return "the SHA-256 of a certificate: 64 hexadecimal digits, colons allowed";
    case MatchField::kSpki:
      return "the SHA-256 of a public key: 64 hexadecimal digits, or base64 as in sha256/...";
    case MatchField::kPolicyOid:
      return "an OID such as 1.3.6.1.4.1.99999.1";
  }
  return "";
}

absl::StatusOr<std::string> CanonicalValue(MatchField field, std::string_view value) {
  if (value.empty()) return Wrong("it is empty");
  if (value.find('\0') != std::string_view::npos) return Wrong("it holds a NUL");
  switch (field) {
    case MatchField::kCommonName:
    case MatchField::kOrganization:
    case MatchField::kOrganizationalUnit:
      break;
    case MatchField::kSubject:
    case MatchField::kIssuer:
      if (value.find('=') == std::string_view::npos) return Wrong("no attribute with its '='");
      break;
    case MatchField::kUri:
      if (!IsUri(value)) return Wrong("no URI in printable ASCII with a scheme");
      break;
    case MatchField::kSpiffe:
      if (!IsSpiffeId(value)) return Wrong("no SPIFFE ID");
      break;
    case MatchField::kPolicyOid:
      if (!IsOid(value)) return Wrong("no dotted OID");
      break;
    case MatchField::kDns:
      return CanonicalDns(value);
    case MatchField::kEmail:
      return CanonicalEmail(value);
    case MatchField::kIp:
      return CanonicalIp(value);
    case MatchField::kSerial:
      return CanonicalSerial(value);
    case MatchField::kSha256:
    case MatchField::kSpki:
      return CanonicalDigest(field, value);
  }
  return std::string(value);
}

std::optional<std::string_view> LowerDnsName(std::string_view name,
                                             std::array<char, kMaxDnsBytes>& buffer) {
  if (name.empty() || name.size() > buffer.size()) return std::nullopt;
  size_t label = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = ToLower(name[i]);
    buffer[i] = c;
    if (c == '.') {
      if (label == 0) return std::nullopt;
      label = 0;
    } else if (!(IsLower(c) || IsDigit(c) || c == '-' || c == '_') || ++label > kMaxLabelBytes) {
      return std::nullopt;
    }
  }
  if (label == 0) return std::nullopt;
  return std::string_view(buffer.data(), name.size());
}

std::optional<std::string_view> LowerEmailDomain(std::string_view address,
                                                 std::array<char, kMaxEmailBytes>& buffer) {
  const size_t at = address.find('@');
  if (at == 0 || at == std::string_view::npos || at > kMaxLocalPartBytes) return std::nullopt;
  const std::string_view local = address.substr(0, at);
  if (!std::all_of(local.begin(), local.end(), IsVisible)) return std::nullopt;
  std::array<char, kMaxDnsBytes> domain;
  const std::optional<std::string_view> lower = LowerDnsName(address.substr(at + 1), domain);
  if (!lower) return std::nullopt;
  std::memcpy(buffer.data(), address.data(), at + 1);
  std::memcpy(buffer.data() + at + 1, lower->data(), lower->size());
  return std::string_view(buffer.data(), address.size());
}

bool IsUri(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const char first = ToLower(text.front());
  return IsLower(first) && std::all_of(text.begin(), text.end(), IsVisible);
}

bool IsSpiffeId(std::string_view text) {
  if (text.size() > kMaxSpiffeBytes || !text.starts_with(kSpiffeScheme)) return false;
  text.remove_prefix(kSpiffeScheme.size());
  size_t slash = text.find('/');
  const std::string_view domain = text.substr(0, slash);
  const bool domain_fits = !domain.empty() && domain.size() <= kMaxTrustDomainBytes &&
                           std::all_of(domain.begin(), domain.end(), [](char c) {
                             return IsLower(c) || IsDigit(c) || c == '.' || c == '-' || c == '_';
                           });
  if (!domain_fits) return false;
  while (slash != std::string_view::npos) {
    text.remove_prefix(slash + 1);
    slash = text.find('/');
    if (!IsSegment(text.substr(0, slash))) return false;
  }
  return true;
}

std::optional<IpAddress> ParseIp(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(terminated)) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  IpAddress address;
  address.v6 = text.find(':') != std::string_view::npos;
  if (inet_pton(address.v6 ? AF_INET6 : AF_INET, terminated, address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

IpKey MakeIpKey(const IpAddress& address, uint8_t num_bits) {
  IpKey key{};
  key[0] = static_cast<char>(address.v6 ? 6 : 4);
  key[1] = static_cast<char>(num_bits);
  for (unsigned i = 0; i < address.bytes.size(); ++i) {
    const int bits = std::clamp(static_cast<int>(num_bits) - static_cast<int>(8 * i), 0, 8);
    const auto mask = static_cast<uint8_t>(0xFF00U >> static_cast<unsigned>(bits));
    key[2 + i] = static_cast<char>(address.bytes[i] & mask);
  }
  return key;
}

std::string_view SerialDigits(std::string_view hex) {
  const size_t first = hex.find_first_not_of('0');
  if (first != std::string_view::npos) return hex.substr(first);
  return hex.substr(0, std::min<size_t>(hex.size(), 1));
}

}  // namespace portcullis::tls
