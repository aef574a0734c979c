// VerifyReport: what `portcullis verify` found out, as text for people and as JSON for programs.
// Pure functions; main thread.
#pragma once

#include <string>
#include <string_view>

#include "tls/path_report.h"
#include "tls/verdict.h"

namespace portcullis::server {

struct VerifyReport {
  tls::Verdict verdict;
  tls::PathReport path;
};

// PathText is a line for each certificate of the path: depth, subject, serial, notAfter, SHA-256.
[[nodiscard]] std::string PathText(const VerifyReport& report);

// VerdictText is one line: "accepted", or the reason's name, the X.509 error, the rule, and whose
// certificate it was.
[[nodiscard]] std::string VerdictText(const tls::Verdict& verdict);

// ReportJson is one object on one line: verdict ("accepted" or "rejected"), reason, x509_error,
// detail, depth and failing_subject (null when accepted), path, identity (null without a leaf that
// parses).
[[nodiscard]] std::string ReportJson(const VerifyReport& report);

// UnknownJson is the object for "could not tell": verdict "unknown" and the error.
[[nodiscard]] std::string UnknownJson(std::string_view error);

}  // namespace portcullis::server
