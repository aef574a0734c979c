// Upgrade (RFC 9110, 7.8): which protocols a client's offer may reach a backend with. WebSocket and
// the like pass; h2c, TLS and other HTTP versions do not, since behind them requests would flow
// past our header rules unseen.
//
// Pure functions; any thread.
#pragma once

#include <string>

#include "core/http/header_list.h"

namespace portcullis::http {

// OfferedUpgrade sets `offer` to the acceptable protocols of Upgrade, comma-separated, if
// Connection names Upgrade; else to nothing. An offer of nothing acceptable is ignored, as the RFC
// allows.
void OfferedUpgrade(const HeaderList& headers, std::string& offer);

}  // namespace portcullis::http
