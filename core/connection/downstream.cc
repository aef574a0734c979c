#include "core/connection/downstream.h"

#include "core/connection/http_relay.h"

namespace portcullis::connection {

// Out of line, where HttpRelay is a complete type.
Downstream::Downstream() = default;
Downstream::~Downstream() = default;

}  // namespace portcullis::connection
