#include "core/ocsp/fetcher.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <ctime>
#include <mutex>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/ocsp_maker.h"
#include "tls/issuer_id.h"

namespace portcullis::ocsp {
namespace {

using ::testing::HasSubstr;
using tls::ClientStatus;
using tls::testing::MakeOcsp;
using tls::testing::MakeRoot;
using tls::testing::OcspSpec;
using tls::testing::Octets;
using tls::testing::TestCertificate;

class Results final : public ResultSink {
 public:
  void Take(StatusResult result) override {
    const std::lock_guard lock(mutex_);
    results_.push_back(std::move(result));
    changed_.notify_all();
  }
  // Waits until there are `count`, and returns them.
  std::vector<StatusResult> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return results_.size() >= count; });
    return results_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<StatusResult> results_;
};

// A listening socket that the test answers on by hand.
class Responder {
 public:
  Responder() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Responder() { Close(); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] std::string Url(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(port_) + "/ocsp";
  }
  // Accept returns the next connection with its request, of so many octets behind the head.
  int Accept(std::string& request) const {
    const int peer = accept(fd_, nullptr, nullptr);
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos || request.size() < 200) {
      const ssize_t size = recv(peer, buffer, sizeof(buffer), 0);
      if (size <= 0) break;
      request.append(buffer, static_cast<size_t>(size));
    }
    return peer;
  }
  void Answer(const std::string& answer) const {
    std::string request;
    const int peer = Accept(request);
    EXPECT_TRUE(request.starts_with("POST /ocsp HTTP/1.0\r\n")) << request;
    EXPECT_EQ(send(peer, answer.data(), answer.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer.size()));
    close(peer);
  }

 private:
  int fd_;
  uint16_t port_ = 0;
};

class FetcherTest : public ::testing::Test {
 protected:
  [[nodiscard]] FetchJob Job(const std::string& url, uint8_t serial = 1,
                             uint32_t timeout_ms = 20'000) {
    tls::StatusQuery query;
    query.issuer_der = root_.Der();
    query.key = {.issuer = tls::MakeIssuerId(query.issuer_der), .serial = {serial}};
    query.url = url;
    return {.query = std::move(query), .timeout_ms = timeout_ms, .sink = &results_};
  }
  void Start(const FetcherOptions& options = {}) {
    auto fetcher = Fetcher::Start(options);
    ASSERT_TRUE(fetcher.ok()) << fetcher.status();
    fetcher_ = *std::move(fetcher);
  }
  [[nodiscard]] std::string Answer(OcspSpec spec = {}, uint8_t serial = 1) const {
    spec.this_update = std::time(nullptr) - 60;
    spec.next_update = std::time(nullptr) + 60;
    const Octets der = MakeOcsp(root_, {serial}, spec);
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(der.size()) + "\r\n\r\n" +
           std::string(der.begin(), der.end());
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root", .not_before = 0});
  const Responder responder_;
  Results results_;
  std::unique_ptr<Fetcher> fetcher_;
};

TEST_F(FetcherTest, BringsWhatTheResponderSays) {
  Start();
  ASSERT_TRUE(fetcher_->Fetch(Job(responder_.Url())));
  responder_.Answer(Answer());
  const StatusResult good = results_.Wait(1)[0];
  EXPECT_EQ(good.answer.status, ClientStatus::kGood);
  EXPECT_EQ(good.key, Job("").query.key);
  EXPECT_NEAR(static_cast<double>(good.answer.until), static_cast<double>(std::time(nullptr) + 60),
              30);
  ASSERT_TRUE(fetcher_->Fetch(Job(responder_.Url("localhost"))));
  responder_.Answer(Answer({.status = OcspSpec::Status::kRevoked}));
  EXPECT_EQ(results_.Wait(2)[1].answer.status, ClientStatus::kRevoked);
}

TEST_F(FetcherTest, ARevocationIsToldToEveryoneAndWhatElseIsSaidToTheAskerAlone) {
  Start();
  Results other;
  fetcher_->Subscribe(&results_);
  fetcher_->Subscribe(&other);
  ASSERT_TRUE(fetcher_->Fetch(Job(responder_.Url(), 1)));
  responder_.Answer(Answer({}, 1));
  ASSERT_TRUE(fetcher_->Fetch(Job("", 2)));
  (void)results_.Wait(2);
  ASSERT_TRUE(fetcher_->Fetch(Job(responder_.Url(), 3)));
  responder_.Answer(Answer({.status = OcspSpec::Status::kRevoked}, 3));
  const StatusResult heard = other.Wait(1)[0];
  EXPECT_EQ(heard.key.serial, Octets{3});
  EXPECT_EQ(heard.answer.status, ClientStatus::kRevoked);
  EXPECT_FALSE(heard.asked);
  const std::vector<StatusResult> own = results_.Wait(3);
  EXPECT_EQ(own.size(), 3U) << "who asked is told once";
  for (const StatusResult& result : own) EXPECT_TRUE(result.asked);
  EXPECT_EQ(own.back().answer.said_at, heard.answer.said_at);
  EXPECT_EQ(other.Wait(1).size(), 1U);
}

TEST_F(FetcherTest, WhatIsOfNoUseSaysWhy) {
  Start();
  size_t count = 0;
  const auto why = [&](const std::string& url, const std::string& answer) {
    EXPECT_TRUE(fetcher_->Fetch(Job(url)));
    if (!answer.empty()) responder_.Answer(answer);
    const StatusResult result = results_.Wait(++count).back();
    EXPECT_EQ(result.answer.status, ClientStatus::kUnavailable);
    return result.answer.detail;
  };
  EXPECT_EQ(why(responder_.Url(), "HTTP/1.0 500 No\r\n\r\n"),
            "the responder's HTTP answer is of no use");
  EXPECT_EQ(why(responder_.Url(), "HTTP/1.0 200 OK\r\n\r\nrubbish"), "not a DER OCSPResponse");
  EXPECT_EQ(why(responder_.Url(), Answer({}, 2)), "it is about another certificate");
  EXPECT_EQ(why(responder_.Url(), Answer({.status = OcspSpec::Status::kUnknown})),
            "the responder does not know the certificate");
  EXPECT_EQ(why("", ""), "no responder is named");
  EXPECT_EQ(why("https://ocsp.example/", ""), "the responder's URL is of no use");
  EXPECT_EQ(why("http://nobody.invalid/", ""), "the responder's name is not known");
}

TEST_F(FetcherTest, AResponderThatIsGoneTakesNoConnection) {
  Responder gone;
  gone.Close();
  Start();
  ASSERT_TRUE(fetcher_->Fetch(Job(gone.Url())));
  EXPECT_EQ(results_.Wait(1)[0].answer.detail, "the responder takes no connection");
}

TEST_F(FetcherTest, ASlowOneIsGivenUpAndHoldsUpNobody) {
  Start();
  const Responder slow;
  ASSERT_TRUE(fetcher_->Fetch(Job(slow.Url(), 1, 200)));
  ASSERT_TRUE(fetcher_->Fetch(Job(responder_.Url(), 2)));
  responder_.Answer(Answer({}, 2));
  const std::vector<StatusResult> results = results_.Wait(2);
  for (const StatusResult& result : results) {
    const bool is_slow = result.key.serial == Octets{1};
    EXPECT_EQ(result.answer.status, is_slow ? ClientStatus::kUnavailable : ClientStatus::kGood);
    EXPECT_EQ(result.answer.detail, is_slow ? "the responder does not answer in time" : "");
  }
}

TEST_F(FetcherTest, ThereAreBounds) {
  Start({.max_jobs = 3, .max_running = 1});
  for (uint8_t serial = 1; serial <= 3; ++serial) {
    EXPECT_TRUE(fetcher_->Fetch(Job(responder_.Url(), serial)));
  }
  EXPECT_FALSE(fetcher_->Fetch(Job(responder_.Url(), 4)));
  for (uint8_t serial = 1; serial <= 3; ++serial) {
    responder_.Answer(Answer({}, serial));  // One after the other, in order.
    EXPECT_EQ(results_.Wait(serial).back().answer.status, ClientStatus::kGood);
  }
  EXPECT_TRUE(fetcher_->Fetch(Job(responder_.Url(), 5)));
  responder_.Answer(Answer({}, 5));
  EXPECT_EQ(results_.Wait(4).back().answer.status, ClientStatus::kGood);
}

TEST_F(FetcherTest, OneThatHangsLeavesRoomForOthers) {
  const Responder hangs;
  Start({.max_jobs = 6, .max_jobs_each = 3, .max_running = 3, .max_running_each = 2});
  for (uint8_t serial = 1; serial <= 4; ++serial) {
    ASSERT_TRUE(fetcher_->Fetch(Job(hangs.Url(), serial)));
  }
  const StatusResult beyond = results_.Wait(1)[0];
  EXPECT_EQ(beyond.key.serial, Octets{4});
  EXPECT_EQ(beyond.answer.detail, "too many questions to the responder at a time");
  ASSERT_TRUE(fetcher_->Fetch(Job(responder_.Url(), 5)));
  responder_.Answer(Answer({}, 5));
  EXPECT_EQ(results_.Wait(2).back().answer.status, ClientStatus::kGood);
}

TEST_F(FetcherTest, EndsAtOnceWhateverItWaitsFor) {
  for (int i = 0; i < 5; ++i) {
    Start();
    for (uint8_t serial = 1; serial <= 5; ++serial) {
      ASSERT_TRUE(fetcher_->Fetch(
          Job(responder_.Url(serial % 2 == 0 ? "localhost" : "127.0.0.1"), serial)));
    }
    fetcher_.reset();
  }
}

}  // namespace
}  // namespace portcullis::ocsp
