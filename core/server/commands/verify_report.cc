#include "core/server/commands/verify_report.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include <nlohmann/json.hpp>

#include "core/server/commands/text.h"
#include "tls/x509_map.h"

namespace portcullis::server {
namespace {

using nlohmann::json;

std::string HexOf(const tls::Sha256& hash) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

std::string TimeText(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds),
                          absl::UTCTimeZone());
}

std::string ErrorText(const tls::Verdict& verdict) {
  return verdict.x509_error == 0 ? std::string()
                                 : std::string(tls::X509ErrorText(verdict.x509_error));
}

std::string DigestOf(const tls::PathCertificate& certificate) {
  tls::Sha256 digest;
  SHA256(certificate.der.data(), certificate.der.size(), digest.data());
  return HexOf(digest);
}

std::string_view SourceName(tls::PathSource source) {
  switch (source) {
    case tls::PathSource::kAnchor:
      return "anchor";
    case tls::PathSource::kKnown:
      return "known";
    case tls::PathSource::kPresented:
      break;
  }
  return "presented";
}

json PathJson(const tls::PathReport& report) {
  json path = json::array();
  for (const tls::PathCertificate& certificate : report.path) {
    path.push_back({{"subject", certificate.subject},
                    {"issuer", certificate.issuer},
                    {"serial", certificate.serial_hex},
                    {"not_before", certificate.not_before},
                    {"not_after", certificate.not_after},
                    {"source", std::string(SourceName(certificate.source))},
                    {"sha256", DigestOf(certificate)}});
  }
  return path;
}

json IdentityJson(const tls::PeerIdentity& identity) {
  return {{"subject", identity.subject},
          {"issuer", identity.issuer},
          {"serial", identity.serial_hex},
          {"not_before", identity.not_before},
          {"not_after", identity.not_after},
          {"sha256", HexOf(identity.sha256)},
          {"spki_sha256", HexOf(identity.spki_sha256)},
          {"common_names", identity.common_names},
          {"organizations", identity.organizations},
          {"organizational_units", identity.organizational_units},
          {"dns_names", identity.dns_names},
          {"uris", identity.uris},
          {"emails", identity.emails},
          {"ips", identity.ips},
          {"policy_oids", identity.policy_oids}};
}

// Certificates hold any bytes; JSON is UTF-8.
std::string Line(const json& object) {
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string PathText(const VerifyReport& report) {
  std::string text;
  size_t depth = 0;
  for (const tls::PathCertificate& certificate : report.path.path) {
    Append(&text, depth++, "  ", certificate.subject, "\n   ", SourceName(certificate.source),
           ", serial ", certificate.serial_hex, ", until ", TimeText(certificate.not_after),
           ", sha256 ", DigestOf(certificate), "\n");
  }
  return text;
}

std::string VerdictText(const tls::Verdict& verdict) {
  if (verdict.accepted()) return "accepted\n";
  std::string text(tls::Name(verdict.rejection));
  const char* separator = ": ";
  for (const std::string& part : {ErrorText(verdict), verdict.detail}) {
    if (part.empty()) continue;
    Append(&text, separator, part);
    separator = "; ";
  }
  Append(&text, " (depth ", int{verdict.failed_depth}, ": ", verdict.failed_subject, ")\n");
  return text;
}

std::string ReportJson(const VerifyReport& report) {
  const tls::Verdict& verdict = report.verdict;
  json object = {{"verdict", verdict.accepted() ? "accepted" : "rejected"},
                 {"reason", std::string(tls::Name(verdict.rejection))},
                 {"x509_error", ErrorText(verdict)},
                 {"detail", verdict.detail},
                 {"depth", nullptr},
                 {"failing_subject", nullptr},
                 {"path", PathJson(report.path)},
                 {"identity", nullptr}};
  if (!verdict.accepted()) {
    object["depth"] = verdict.failed_depth;
    object["failing_subject"] = verdict.failed_subject;
  }
  if (verdict.identity != nullptr) object["identity"] = IdentityJson(*verdict.identity);
  return Line(object);
}

std::string UnknownJson(std::string_view error) {
  return Line({{"verdict", "unknown"}, {"error", std::string(error)}});
}

}  // namespace portcullis::server
