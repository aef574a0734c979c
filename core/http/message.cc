#include "core/http/message.h"

namespace portcullis::http {

void RequestHead::Clear() {
  method.clear();
  scheme.clear();
  authority.clear();
  path.clear();
  headers.Clear();
  body = {};
  version_major = 1;
  version_minor = 1;
  expect_continue = false;
  upgrade.clear();
}

void ResponseHead::Clear() {
  status = 0;
  reason.clear();
  headers.Clear();
  body = {};
  upgrade.clear();
}

}  // namespace portcullis::http
