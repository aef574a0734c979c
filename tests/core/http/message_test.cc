#include "core/http/message.h"

#include <gtest/gtest.h>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

TEST(Message, ClearRestoresDefaults) {
  RequestHead request;
  request.method = "PUT";
  request.scheme = "https";
  request.authority = "a";
  request.path = "/";
  request.headers.Add("a", "b");
  request.body = Body::Stream();
  request.version_minor = 0;
  request.expect_continue = true;
  request.upgrade = "x";
  request.Clear();
  EXPECT_EQ(Describe(request), Describe(RequestHead()));

  ResponseHead response;
  response.status = 200;
  response.reason = "OK";
  response.headers.Add("a", "b");
  response.body = Body::Length(3);
  response.upgrade = "x";
  response.Clear();
  EXPECT_EQ(Describe(response), Describe(ResponseHead()));
}

TEST(Message, KnowsInterimAndBodilessResponses) {
  ResponseHead head;
  const auto interim = [&](uint16_t status) {
    head.status = status;
    return head.is_interim();
  };
  EXPECT_TRUE(interim(100));
  EXPECT_TRUE(interim(103));
  EXPECT_TRUE(interim(199));
  EXPECT_FALSE(interim(101));
  EXPECT_FALSE(interim(200));
  EXPECT_TRUE(ResponseHasBody(200, false));
  EXPECT_FALSE(ResponseHasBody(200, true));
  EXPECT_FALSE(ResponseHasBody(101, false));
  EXPECT_FALSE(ResponseHasBody(204, false));
  EXPECT_TRUE(ResponseHasBody(205, false));
  EXPECT_FALSE(ResponseHasBody(304, false));
}

}  // namespace
}  // namespace portcullis::http
