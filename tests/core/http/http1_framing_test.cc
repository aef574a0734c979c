#include "core/http/http1_framing.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

using Fields = std::vector<std::pair<const char*, const char*>>;

HeaderList List(const Fields& fields) {
  HeaderList list;
  for (const auto& [name, value] : fields) list.Add(name, value);
  return list;
}

std::string Describe(HttpError error, const Extent& extent, const Body& declared) {
  if (error.status != 0) return std::to_string(error.status) + " " + error.reason;
  const char* const names[] = {"none", "length", "chunked", "close"};
  return std::string(names[static_cast<int>(extent.framing)]) + " " +
         std::to_string(extent.length) + ", declared " + http::Describe(declared);
}

std::string OfRequest(const Fields& fields, bool http10 = false) {
  Extent extent;
  Body declared;
  const HttpError error = RequestExtent(List(fields), http10, extent, declared);
  return Describe(error, extent, declared);
}

std::string OfResponse(const Fields& fields, uint16_t status, bool head = false,
                       bool http10 = false) {
  Extent extent;
  Body declared;
  const HttpError error = ResponseExtent(List(fields), http10, status, head, extent, declared);
  return Describe(error, extent, declared);
}

constexpr char kCl[] = "Content-Length";
constexpr char kTe[] = "Transfer-Encoding";

TEST(Http1Framing, DecidesRequestsByTheirFields) {
  EXPECT_EQ(OfRequest({}), "none 0, declared none");
  EXPECT_EQ(OfRequest({{kCl, "0"}}), "none 0, declared length 0");
  EXPECT_EQ(OfRequest({{kCl, "007"}}), "length 7, declared length 7");
  EXPECT_EQ(OfRequest({{kCl, "999999999999999999"}}),
            "length 999999999999999999, declared length 999999999999999999");
  EXPECT_EQ(OfRequest({{kTe, "CHUNKED"}}), "chunked 0, declared stream");
}

TEST(Http1Framing, RefusesEveryDoubt) {
  for (const char* length :
       {"", "-1", "+1", "1 ", "1,1", "0x1", "1.0", "9999999999999999999", "\xb2"}) {
    EXPECT_EQ(OfRequest({{kCl, length}}), "400 malformed Content-Length") << length;
  }
  for (const char* coding : {"", ",", "chunked,chunked", "chunked, chunked", "chunked;q=1",
                             "\"chunked\"", "chunked x"}) {
    EXPECT_EQ(OfRequest({{kTe, coding}}), "400 malformed Transfer-Encoding") << coding;
  }
  for (const char* coding : {"gzip", "identity", "xchunked", "gzip, chunked", "chunked, gzip"}) {
    EXPECT_EQ(OfRequest({{kTe, coding}}), "501 transfer coding other than chunked") << coding;
  }
  EXPECT_EQ(OfRequest({{kCl, "1"}, {kCl, "1"}}), "400 more than one Content-Length");
  EXPECT_EQ(OfRequest({{kTe, "chunked"}, {"transfer-encoding", "identity"}}),
            "400 more than one Transfer-Encoding");
  EXPECT_EQ(OfRequest({{kCl, "1"}, {kTe, "chunked"}}),
            "400 both Transfer-Encoding and Content-Length");
  EXPECT_EQ(OfRequest({{kTe, "chunked"}}, true), "400 Transfer-Encoding in HTTP/1.0");
}

TEST(Http1Framing, DecidesResponsesByStatusAndRequestToo) {
  EXPECT_EQ(OfResponse({}, 200), "close 0, declared stream");
  EXPECT_EQ(OfResponse({{kCl, "3"}}, 200), "length 3, declared length 3");
  EXPECT_EQ(OfResponse({{kCl, "0"}}, 200), "none 0, declared length 0");
  EXPECT_EQ(OfResponse({{kTe, "chunked"}}, 200), "chunked 0, declared stream");
  EXPECT_EQ(OfResponse({{kCl, "3"}}, 200, true), "none 0, declared length 3");
  EXPECT_EQ(OfResponse({{kTe, "chunked"}}, 200, true), "none 0, declared stream");
  EXPECT_EQ(OfResponse({}, 200, true), "none 0, declared none");
  EXPECT_EQ(OfResponse({{kCl, "3"}}, 304), "none 0, declared length 3");
  EXPECT_EQ(OfResponse({{kCl, "3"}}, 204), "none 0, declared none");
  EXPECT_EQ(OfResponse({{kCl, "3"}}, 100), "none 0, declared none");
  EXPECT_EQ(OfResponse({{kTe, "gzip"}}, 200), "502 transfer coding other than chunked");
  EXPECT_EQ(OfResponse({{kTe, "chunked"}}, 200, false, true), "502 Transfer-Encoding in HTTP/1.0");
}

TEST(Http1Framing, RefusesNamesThatAreNoTokens) {
  EXPECT_EQ(CheckFieldSyntax(List({{"A-b", "\x80"}, {"x!", ""}})).status, 0);
  for (const char* name : {"", "a ", "a\t", "a(", "a:", "\x80"}) {
    EXPECT_EQ(CheckFieldSyntax(List({{name, "v"}})).status, 400) << name;
  }
}

TEST(Http1Framing, PersistsByVersionAndConnection) {
  EXPECT_TRUE(PersistsByFields(List({}), false));
  EXPECT_FALSE(PersistsByFields(List({}), true));
  EXPECT_FALSE(PersistsByFields(List({{"Connection", "a,close"}}), false));
  EXPECT_TRUE(PersistsByFields(List({{"connection", "Keep-Alive"}}), true));
  EXPECT_FALSE(
      PersistsByFields(List({{"connection", "keep-alive"}, {"connection", "close"}}), true));
}

}  // namespace
}  // namespace portcullis::http
