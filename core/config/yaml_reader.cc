#include "core/config/yaml_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/config/sections.h"
#include "core/config/text.h"
#include "core/config/validate.h"
#include "core/config/yaml_text.h"
#include "core/config/yaml_tree.h"

namespace portcullis::config {
namespace {

Config ReadTop(ReadContext& context, const YamlNode& root) {
  Config config;
  MapReader top(context, {root, ""});
  ReadGlobals(context, top, config);
  Tls tls;
  ReadTls(context, top, tls);
  top.List("listeners", [&](Value item, size_t) {
    config.listeners.push_back(ReadListener(context, std::move(item)));
  });
  top.List("virtual_hosts", [&](Value item, size_t) {
    config.virtual_hosts.push_back(ReadVirtualHost(context, std::move(item), tls));
  });
  top.List("trusts", [&](Value item, size_t) {
    config.trusts.push_back(ReadTrust(context, std::move(item)));
  });
  top.List("backends", [&](Value item, size_t) {
    config.backends.push_back(ReadBackend(context, std::move(item)));
  });
  top.Finish();
  top.Require("listeners", "a list of addresses to listen on, each with name and address");
  top.Require("virtual_hosts", "a list of hosts, each with server_names, certificates and backend");
  return config;
}

absl::Status CannotRead(std::string_view path, int error) {
  const std::string message = Concat(path, ": found no readable file (", std::strerror(error),
                                     "); allowed: a configuration file in YAML");
  return error == ENOENT ? absl::NotFoundError(message) : absl::FailedPreconditionError(message);
}

// Reads whatever `path` is, pipes included, up to one byte more than ParseConfig takes.
absl::StatusOr<std::string> ReadText(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotRead(path, errno);
  std::string text;
  char block[65536];
  while (text.size() <= kMaxYamlBytes) {
    const ssize_t got = read(fd, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      close(fd);
      return CannotRead(path, error);
    }
    if (got == 0) break;
    text.append(block, static_cast<size_t>(got));
  }
  close(fd);
  return text;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(std::string_view yaml_text, std::string_view file_name,
                                   std::vector<std::string>* warnings) {
  Diagnostics diagnostics(file_name);
  SourceMap sources;
  ReadContext context{diagnostics, sources,
                      std::filesystem::path(file_name).parent_path().string()};
  const YamlTree tree = ParseYaml(yaml_text, diagnostics);
  Config config;
  if (diagnostics.ok()) {
    YamlNode empty;
    empty.where = {1, 1};
    config = ReadTop(context, tree.root != nullptr ? *tree.root : empty);
    ApplyDefaults(config, sources);
    Validate(config, sources, diagnostics);
  }
  if (warnings != nullptr) *warnings = diagnostics.Warnings();
  if (!diagnostics.ok()) return diagnostics.ToStatus();
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path, std::vector<std::string>* warnings) {
  const absl::StatusOr<std::string> text = ReadText(path);
  if (!text.ok()) return text.status();
  return ParseConfig(*text, path, warnings);
}

}  // namespace portcullis::config
