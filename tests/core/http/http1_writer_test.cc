#include "core/http/http1_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

ResponseHead Ok(Body body) {
  ResponseHead head;
  head.status = 200;
  head.reason = "OK";
  head.body = body;
  return head;
}

TEST(Http1Writer, WritesAHeadInOnePiece) {
  size_t pieces = 0;
  const ByteSink counter{&pieces,
                         [](void* ctx, const uint8_t*, size_t) { ++*static_cast<size_t*>(ctx); }};
  RequestHead head;
  head.method = "GET";
  head.path = "/";
  for (int i = 0; i < 50; ++i) head.headers.Add("Name", "value");
  Http1Writer writer;
  writer.WriteRequest(head, counter);
  EXPECT_EQ(pieces, 1u);
}

TEST(Http1Writer, EmptyDataIsNoLastChunk) {
  Http1Writer writer;
  std::string out;
  EXPECT_TRUE(writer.WriteResponse(Ok(Body::Stream()), false, false, true, Into(out)));
  out.clear();
  writer.WriteData({}, Into(out));
  EXPECT_EQ(out, "");
  writer.WriteData(Bytes(std::string(300, 'x')), Into(out));
  EXPECT_EQ(out, "12c\r\n" + std::string(300, 'x') + "\r\n");
  out.clear();
  writer.WriteEnd(Into(out));
  EXPECT_EQ(out, "0\r\n\r\n");
}

TEST(Http1Writer, EmptyTrailersEndTheBodyToo) {
  Http1Writer writer;
  std::string out;
  EXPECT_TRUE(writer.WriteResponse(Ok(Body::Stream()), false, false, true, Into(out)));
  out.clear();
  writer.WriteTrailers({}, Into(out));
  writer.WriteEnd(Into(out));
  EXPECT_EQ(out, "0\r\n\r\n");
}

TEST(Http1Writer, TellsWhetherTheConnectionGoesOn) {
  std::string out;
  Http1Writer writer;
  EXPECT_FALSE(writer.WriteResponse(Ok(Body::Stream()), false, true, true, Into(out)));
  EXPECT_TRUE(writer.close_delimited());
  writer.Reset();
  EXPECT_FALSE(writer.started());
  EXPECT_FALSE(writer.WriteResponse(Ok(Body::Length(0)), false, false, false, Into(out)));
  EXPECT_FALSE(writer.close_delimited());
  writer.Reset();
  EXPECT_TRUE(writer.WriteResponse(Ok(Body::Length(0)), false, true, true, Into(out)));
  writer.WriteEnd(Into(out));
  EXPECT_TRUE(writer.ended());
}

using Http1WriterDeathTest = ::testing::Test;

TEST(Http1WriterDeathTest, BodiesMustKeepToTheirDeclaredLength) {
  std::string out;
  Http1Writer writer;
  EXPECT_TRUE(writer.WriteResponse(Ok(Body::Length(3)), false, false, true, Into(out)));
  writer.WriteData(Bytes("ab"), Into(out));
  EXPECT_DEATH(writer.WriteData(Bytes("cd"), Into(out)), "longer than its declared length");
  EXPECT_DEATH(writer.WriteEnd(Into(out)), "shorter than its declared length");
}

TEST(Http1WriterDeathTest, EventsMustComeInOrder) {
  std::string out;
  Http1Writer writer;
  EXPECT_DEATH(writer.WriteData(Bytes("a"), Into(out)), "data outside of a body");
  EXPECT_DEATH(writer.WriteEnd(Into(out)), "one end a message");
  EXPECT_TRUE(writer.WriteResponse(Ok(Body::Stream()), false, false, true, Into(out)));
  EXPECT_DEATH(writer.WriteInterim(Ok({}), Into(out)), "interim heads come before");
  writer.WriteEnd(Into(out));
  EXPECT_DEATH(writer.WriteEnd(Into(out)), "one end a message");
}

}  // namespace
}  // namespace portcullis::http
