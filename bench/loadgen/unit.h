// Unit: what the load counts: a connection with its requests, or in keep-alive mode one request.
// Plain data.
#pragma once

#include <cstdint>

namespace portcullis::bench {

struct Unit {
  int64_t intended_ns = 0;  // when it was meant to start; latency counts from here
  uint32_t step = 0;        // of the rates
  bool counted = false;     // meant to start in the window
  bool going = false;       // its end has not been accounted for
  bool held = false;        // done, if it is good to the end
};

}  // namespace portcullis::bench
