#include "core/server/commands/demo_config.h"

#include "core/server/commands/demo_pki.h"
#include "core/server/commands/text.h"

namespace portcullis::server {

std::string DemoConfig(const DemoSettings& settings) {
  return Cat(
      "# Made by `portcullis demo`.\n"
      "admin: {address: \"127.0.0.1:",
      settings.admin_port,
      "\"}\n"
      "log: {level: warn, connections: \"",
      settings.connection_log,
      "\"}\n"
      "timeouts: {drain: 1s}\n"
      "listeners:\n"
      "  - name: ",
      kDemoListener,
      "\n"
      "    address: 127.0.0.1:",
      settings.port,
      "\n"
      "    mode: http\n"
      "    hosts: [localhost]\n"
      "virtual_hosts:\n"
      "  - server_names: [localhost, demo.localhost]\n"
      "    certificates:\n"
      "      - folder: ",
      kDemoServerFolder,
      "\n"
      "    client_auth: {mode: require, refusal: http, trust: demo-clients}\n"
      "    identity: ingress-nginx\n"
      "    backend: demo-backend\n"
      "trusts:\n"
      "  - name: demo-clients\n"
      "    folder: ",
      kDemoTrustFolder,
      "\n"
      "backends:\n"
      "  - name: demo-backend\n"
      "    targets: [\"",
      settings.backend, "\"]\n");
}

}  // namespace portcullis::server
