#include "core/worker/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "tests/core/worker/ring_test_fixture.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kGet[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class WorkerTest : public RingTest {
 protected:
  RigOptions Options(config::StageMode mode = config::StageMode::kHttp) const {
    return {.ring = GetParam(), .mode = mode};
  }
};

INSTANTIATE_TEST_SUITE_P(Rings, WorkerTest, AllRings(), RingName);

TEST_P(WorkerTest, ACertifiedClientReachesTheBackendWithItsIdentity) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGet);
  Wire backend = rig.AcceptBackend();
  const std::string request = backend.ReceiveUntil("\r\n\r\n");
  EXPECT_THAT(request, StartsWith("GET /hello HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_THAT(request, HasSubstr("ssl-client-verify: SUCCESS\r\n"));
  EXPECT_THAT(request, HasSubstr("ssl-client-subject-dn: CN=Client\r\n"));
  backend.Send(kAnswer);
  EXPECT_THAT(client.ReceiveUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

std::shared_ptr<ClientList> Listed(WorkerRig& rig, uint32_t most) {
  auto list = std::make_shared<ClientList>();
  rig.worker().Post(ListClients{.most = most, .answer = list});
  EXPECT_TRUE(list->ready.try_acquire_for(std::chrono::seconds(30)));
  return list;
}

TEST_P(WorkerTest, TellsWhichClientsItHasSeen) {
  WorkerRig rig(Options());
  EXPECT_TRUE(Listed(rig, 10)->clients.empty());
  TlsWire stranger = rig.Connect(rig.Stranger());
  ASSERT_TRUE(stranger.Handshake());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGet);
  (void)rig.AcceptBackend();  // by now the worker has judged it
  const auto list = Listed(rig, 10);
  ASSERT_EQ(list->clients.size(), 1U);
  EXPECT_EQ(list->clients.front().identity->subject, "CN=Client");
  EXPECT_EQ(list->clients.front().identity->chain_der.size(), 1U);
  EXPECT_FALSE(list->clients.front().resumed);
  EXPECT_TRUE(Listed(rig, 0)->clients.empty());
}

TEST_P(WorkerTest, CountsTheAnswersToItsOwnQuestionsAlone) {
  WorkerRig rig(Options());
  const auto revoked = [&] {
    metrics::HistogramSnapshot answers;
    rig.shard().ocsp_answers(metrics::OcspResult::kRevoked).MergeInto(answers);
    return answers.Count();
  };
  ocsp::StatusResult result;
  result.key.serial = {1};
  result.answer.status = tls::ClientStatus::kRevoked;
  result.asked = false;
  rig.worker().Take(result);
  rig.TakeTurns(1);
  EXPECT_EQ(revoked(), 0U) << "the asker counts it";
  result.asked = true;
  rig.worker().Take(result);
  rig.TakeTurns(1);
  EXPECT_EQ(revoked(), 1U);
}

TEST_P(WorkerTest, AStrangerGetsThePageAndTheBackendHearsNothing) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Stranger());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGet);
  const std::string answer = client.ReceiveAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("No required SSL certificate was sent"));
  EXPECT_TRUE(client.clean_end()) << (client.reset() ? "reset" : "no close_notify");
  EXPECT_FALSE(rig.BackendHasConnection(0));
  EXPECT_EQ(rig.counts().rejections(static_cast<size_t>(tls::Rejection::kNoCertificate)), 1U);
}

TEST_P(WorkerTest, AStrangerGetsAnAlertWhereTheHostSaysSo) {
  RigOptions options = Options();
  options.refusal = tls::RefusalStyle::kAlert;
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Stranger());
  client.Handshake();  // TLS 1.3: done on this side before the refusal arrives
  (void)client.ReceiveAll();
  EXPECT_EQ(client.client().alert(), SSL_AD_CERTIFICATE_REQUIRED);
}

TEST_P(WorkerTest, TheBackendConnectionIsReusedForTheNextRequest) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGet);
  Wire backend = rig.AcceptBackend();
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(backend.ReceiveUntil("\r\n\r\n"), StartsWith("GET /hello"));
    backend.Send(kAnswer);
    EXPECT_THAT(client.ReceiveUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n")) << i;
    client.Send(kGet);
  }
  EXPECT_FALSE(rig.BackendHasConnection(0));
  EXPECT_THAT(backend.ReceiveUntil("\r\n\r\n"), StartsWith("GET /hello"));
}

TEST_P(WorkerTest, PipelinedRequestsAreAnsweredInOrder) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  Wire backend = rig.AcceptBackend();
  for (const char* number : {"1", "2", "3"}) {
    EXPECT_THAT(backend.ReceiveUntil("\r\n\r\n"), StartsWith(std::string("GET /") + number));
    backend.Send(std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n") + number);
  }
  const std::string answers = client.ReceiveAll();
  EXPECT_LT(answers.find("\r\n\r\n1"), answers.find("\r\n\r\n2"));
  EXPECT_LT(answers.find("\r\n\r\n2"), answers.find("\r\n\r\n3"));
  EXPECT_TRUE(client.clean_end());
}

TEST_P(WorkerTest, ATruncatedAnswerNeverLooksLikeACleanEnd) {
  WorkerRig rig(Options());
  for (const char* head : {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    client.Send(kGet);
    {
      Wire backend = rig.AcceptBackend();
      (void)backend.ReceiveUntil("\r\n\r\n");
      backend.Send(head);
      EXPECT_THAT(client.ReceiveUntil("half"), HasSubstr("half"));
    }
    (void)client.ReceiveAll();
    EXPECT_FALSE(client.clean_end()) << head;
  }
}

TEST_P(WorkerTest, ABackendThatClosesBeforeAnsweringGives502) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGet);
  rig.AcceptBackend().Close();
  EXPECT_THAT(client.ReceiveUntil("</html>"), StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
}

TEST_P(WorkerTest, AStaleBackendConnectionIsRetriedUnseen) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGet);
  Wire backend = rig.AcceptBackend();
  (void)backend.ReceiveUntil("\r\n\r\n");
  backend.Send(kAnswer);
  (void)client.ReceiveUntil("hello");
  client.Send(kGet);
  (void)backend.ReceiveUntil("\r\n\r\n");  // taken, and then the backend goes away without a word
  backend.Close();
  Wire second = rig.AcceptBackend();
  EXPECT_THAT(second.ReceiveUntil("\r\n\r\n"), StartsWith("GET /hello"));
  second.Send(kAnswer);
  EXPECT_THAT(client.ReceiveUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_P(WorkerTest, UpgradedConnectionsCarryAnythingBothWays) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
  Wire backend = rig.AcceptBackend();
  EXPECT_THAT(backend.ReceiveUntil("\r\n\r\n"), HasSubstr("Upgrade: echo\r\n"));
  backend.Send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst");
  EXPECT_THAT(client.ReceiveUntil("first"), StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(backend.ReceiveUntil("early"), "early");
  client.Send("ping");
  EXPECT_EQ(backend.ReceiveUntil("ping"), "ping");
  backend.Send("pong");
  EXPECT_EQ(client.ReceiveUntil("pong"), "pong");
}

TEST_P(WorkerTest, PlainHttpOnTheTlsPortGetsAReadableAnswer) {
  WorkerRig rig(Options());
  Wire client = rig.ConnectPlain();
  client.Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string answer = client.ReceiveAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(answer, HasSubstr("The plain HTTP request was sent to HTTPS port"));
}

TEST_P(WorkerTest, TcpModeCarriesAMebibyteBothWaysIntact) {
  WorkerRig rig(Options(config::StageMode::kTcp));
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  Wire backend = rig.AcceptBackend();
  std::string sent;
  for (int round = 0; round < 64; ++round) {
    const std::string block(16384, static_cast<char>('a' + round % 26));
    client.Send(block);
    std::string seen;
    while (seen.size() < block.size()) {
      const std::string more = backend.Receive();
      ASSERT_FALSE(more.empty());
      seen += more;
    }
    ASSERT_EQ(seen, block);
    backend.Send(seen + "!");
    ASSERT_EQ(client.ReceiveUntil("!"), block + "!");
  }
}

TEST_P(WorkerTest, BytesAreCountedWhileTheyFlowAndNoneTwice) {
  WorkerRig rig(Options(config::StageMode::kTcp));
  const auto counted = [&](metrics::Side side, metrics::Direction direction) {
    return rig.counts().bytes(side, direction);
  };
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  Wire backend = rig.AcceptBackend();
  for (uint64_t sent = 8; sent <= 24; sent += 8) {
    client.Send("question");
    EXPECT_EQ(backend.ReceiveUntil("question"), "question");
    backend.Send("answer");
    EXPECT_EQ(client.ReceiveUntil("answer"), "answer");
    if (sent == 16) continue;  // counted together with the next
    EXPECT_TRUE(WorkerRig::Eventually([&] {
      return counted(metrics::Side::kClient, metrics::Direction::kSend) == sent / 8 * 6 &&
             counted(metrics::Side::kBackend, metrics::Direction::kReceive) == sent / 8 * 6 &&
             counted(metrics::Side::kClient, metrics::Direction::kReceive) == sent &&
             counted(metrics::Side::kBackend, metrics::Direction::kSend) == sent;
    }));
  }
  client.CloseNotify();
  backend.Close();
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.counts().active_connections.value() == 0; }));
  EXPECT_EQ(counted(metrics::Side::kClient, metrics::Direction::kReceive), 24U);
  EXPECT_EQ(counted(metrics::Side::kBackend, metrics::Direction::kSend), 24U);
}

TEST_P(WorkerTest, TcpModePassesHalfCloseOnEitherSide) {
  WorkerRig rig(Options(config::StageMode::kTcp));
  {
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    Wire backend = rig.AcceptBackend();
    client.Send("question");
    client.CloseNotify();
    EXPECT_EQ(backend.ReceiveAll(), "question");
    EXPECT_FALSE(backend.reset());
    backend.Send("answer");
    backend.Close();
    EXPECT_EQ(client.ReceiveAll(), "answer");
    EXPECT_TRUE(client.clean_end());
  }
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  Wire backend = rig.AcceptBackend();
  backend.Send("all I have");
  backend.ShutdownWrite();
  EXPECT_EQ(client.ReceiveAll(), "all I have");
  EXPECT_TRUE(client.clean_end());
  client.Send("and me");
  client.CloseNotify();
  EXPECT_EQ(backend.ReceiveAll(), "and me");
}

TEST_P(WorkerTest, TcpModeNeverTurnsTruncationIntoACleanEnd) {
  WorkerRig rig(Options(config::StageMode::kTcp));
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  Wire backend = rig.AcceptBackend();
  client.Send("half");
  EXPECT_EQ(backend.ReceiveUntil("half"), "half");
  client.wire().Close();  // FIN without close_notify
  EXPECT_EQ(backend.ReceiveAll(), "");
  EXPECT_TRUE(backend.reset());
}

TEST_P(WorkerTest, ASilentClientIsRefusedAtTheHandshakeDeadline) {
  RigOptions options = Options();
  options.timeouts.handshake = config::milliseconds(50);
  WorkerRig rig(options);
  Wire client = rig.ConnectPlain();
  (void)client.ReceiveAll();
  EXPECT_EQ(rig.counts().rejections(static_cast<size_t>(tls::Rejection::kTimeout)), 1U);
}

TEST_P(WorkerTest, ADrainFinishesTheExchangeUnderWayAndNoMore) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kGet);
  Wire backend = rig.AcceptBackend();
  (void)backend.ReceiveUntil("\r\n\r\n");
  rig.worker().Post(Drain{std::chrono::seconds(15)});
  backend.Send(kAnswer);
  const std::string answer = client.ReceiveAll();
  EXPECT_THAT(answer, HasSubstr("hello"));
  EXPECT_TRUE(client.clean_end());
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.worker().ended(); }));
}

TEST_P(WorkerTest, ADrainTellsTheClientsItCutsInTheirHandshake) {
  WorkerRig rig(Options());
  std::vector<Wire> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(rig.ConnectPlain());
  ASSERT_TRUE(WorkerRig::Eventually([&] { return rig.counts().accepted.value() == 3; }));
  rig.worker().Post(Drain{std::chrono::milliseconds(0)});
  const std::array<uint8_t, 7> alert = tls::AlertRecord(tls::Rejection::kShutdown);
  for (Wire& client : clients) {
    EXPECT_EQ(client.ReceiveAll(), std::string(alert.begin(), alert.end()));
    EXPECT_FALSE(client.reset());
    if (&client != &clients.back()) client.Close();  // the last holds on, in vain
  }
  EXPECT_EQ(rig.counts().rejections(static_cast<size_t>(tls::Rejection::kShutdown)), 3U);
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.worker().ended(); }));
}

TEST_P(WorkerTest, AConnectionOutlivesTheConfigurationItWasAcceptedUnder) {
  WorkerRig rig(Options());
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.Publish(rig.MakeRuntime(), -1);
  TlsWire later = rig.Connect(rig.Client());
  ASSERT_TRUE(later.Handshake());
  for (TlsWire* each : {&client, &later}) {
    each->Send(kGet);
    Wire backend = rig.AcceptBackend();
    (void)backend.ReceiveUntil("\r\n\r\n");
    backend.Send(kAnswer);
    EXPECT_THAT(each->ReceiveUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_P(WorkerTest, BeyondItsConnectionsAWorkerLetsTheKernelQueue) {
  RigOptions options = Options();
  options.max_connections = 4;
  WorkerRig rig(options);
  std::vector<std::unique_ptr<TlsWire>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<TlsWire>(rig.port(), rig.Client()));
    ASSERT_TRUE(clients.back()->Handshake());
  }
  TlsWire queued(rig.port(), rig.Client());
  clients.clear();
  EXPECT_TRUE(queued.Handshake());
}

}  // namespace
}  // namespace portcullis::worker
