// The certificates that handshakes in memory are measured with: root, intermediate, a server's and
// a client's leaf, all of one kind of key. bench/local.py makes the same for servers on sockets.
#pragma once

#include "tests/tls/test_client.h"

namespace portcullis::bench {

struct HandshakePki {
  explicit HandshakePki(tls::testing::TestKey key)
      : root(tls::testing::MakeRoot({.common_name = "Root", .key = key})),
        intermediate(tls::testing::MakeCa(root, {.common_name = "Intermediate", .key = key})),
        server(tls::testing::MakeLeaf(intermediate, {.common_name = "localhost", .key = key})),
        client(tls::testing::MakeLeaf(intermediate, {.common_name = "Client", .key = key})) {}

  // Client returns options for a client that presents leaf and intermediate. Borrows from this.
  [[nodiscard]] tls::testing::ClientOptions Client(uint16_t version) const {
    tls::testing::ClientOptions options;
    options.sni = "localhost";
    options.min_version = options.max_version = version;
    options.certificate = &client;
    options.chain = {&intermediate};
    return options;
  }

  tls::testing::TestCertificate root;
  tls::testing::TestCertificate intermediate;
  tls::testing::TestCertificate server;
  tls::testing::TestCertificate client;
};

}  // namespace portcullis::bench
