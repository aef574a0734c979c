#include "io/probe.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"

#include "io/buffer_ring.h"
#include "io/listener.h"
#include "io/ring_cause.h"
#include "io/socket_address.h"
#include "io/uring_ring.h"

namespace portcullis::io {
namespace {

using std::chrono::milliseconds;

// A completion on loopback that takes longer will not come, however busy the machine is.
constexpr milliseconds kPatience{3000};
constexpr uint16_t kProbeGroup = 7;
constexpr uint64_t kAcceptData = 1;
constexpr uint64_t kRecvData = 2;
constexpr rlim_t kComfortableFiles = 65536;
constexpr long kComfortableBacklog = 4096;

// Closes what a check opened, whichever way it ends.
class Descriptors {
 public:
  Descriptors() = default;
  ~Descriptors() {
    for (const int fd : fds_) ::close(fd);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
  int Keep(int fd) {
    if (fd >= 0) fds_.push_back(fd);
    return fd;
  }

 private:
  std::vector<int> fds_;
};

std::optional<long> ReadNumber(const char* path) {
  std::ifstream file(path);
  long value = 0;
  return file >> value ? std::optional<long>(value) : std::nullopt;
}

ProbeCheck Passed(std::string name, std::string detail) {
  return {.name = std::move(name),
          .ok = true,
          .required = true,
          .detail = std::move(detail),
          .remedy = ""};
}

ProbeCheck Failed(std::string name, std::string detail, std::string remedy) {
  return {.name = std::move(name),
          .ok = false,
          .required = true,
          .detail = std::move(detail),
          .remedy = std::move(remedy)};
}

// What could not be tried says nothing about whether it would work.
ProbeCheck Untried(std::string name, std::string detail) {
  return {.name = std::move(name),
          .ok = false,
          .required = false,
          .detail = std::move(detail),
          .remedy = "Bring the loopback interface up, so that it can be tried out"};
}

// Waits for the next completion with `user_data`.
std::optional<Cqe> Await(Ring& ring, uint64_t user_data) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  do {
    Cqe cqe;
    const int count = ring.SubmitAndReap(milliseconds(50), std::span<Cqe>(&cqe, 1));
    if (count < 0) return std::nullopt;
    if (count == 1 && cqe.user_data == user_data) return cqe;
  } while (std::chrono::steady_clock::now() < deadline);
  return std::nullopt;
}

// Cancels `user_data` and waits for its last completion, so that the kernel holds nothing of ours
// any more.
void CancelAndAwait(Ring& ring, uint64_t user_data) {
  io_uring_sqe* sqe = ring.GetSqe();
  io_uring_prep_cancel64(sqe, user_data, 0);
  sqe->user_data = 0;
  for (std::optional<Cqe> cqe = Await(ring, user_data); cqe.has_value() && cqe->more();) {
    cqe = Await(ring, user_data);
  }
}

ProbeCheck CheckKernel() {
  io_uring ring{};
  io_uring_params params{};
  const int result = io_uring_queue_init_params(2, &ring, &params);
  if (result == 0) {
    io_uring_queue_exit(&ring);
    return Passed("io_uring", "available");
  }
  const RingCause cause = RingUnavailable(-result);
  return Failed("io_uring", cause.cause, cause.remedy);
}

ProbeCheck CheckFlags() {
  constexpr const char* kName = "ring flags";
  io_uring ring{};
  io_uring_params params{};
  params.flags = kRingFlags;
  params.cq_entries = 64;
  const int result = io_uring_queue_init_params(8, &ring, &params);
  if (result == 0) {
    io_uring_queue_exit(&ring);
    return Passed(kName, "SINGLE_ISSUER, DEFER_TASKRUN, SUBMIT_ALL, CQSIZE accepted");
  }
  const RingCause cause = RingUnavailable(-result);
  return Failed(kName, cause.cause, cause.remedy);
}

ProbeCheck CheckOpcodes() {
  struct Wanted {
    int opcode;
    const char* name;
  };
  constexpr std::array kWanted = {
      Wanted{IORING_OP_ACCEPT, "ACCEPT"},   Wanted{IORING_OP_RECV, "RECV"},
      Wanted{IORING_OP_SEND, "SEND"},       Wanted{IORING_OP_SENDMSG, "SENDMSG"},
      Wanted{IORING_OP_CONNECT, "CONNECT"}, Wanted{IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"},
      Wanted{IORING_OP_READ, "READ"}};
  io_uring_probe* probe = io_uring_get_probe();
  std::string missing;
  for (const Wanted& wanted : kWanted) {
    if (probe == nullptr || io_uring_opcode_supported(probe, wanted.opcode) == 0) {
      absl::StrAppend(&missing, " ", wanted.name);
    }
  }
  if (probe != nullptr) io_uring_free_probe(probe);
  if (missing.empty()) return Passed("opcodes", "all that a worker submits");
  return Failed("opcodes", absl::StrCat("not supported:", missing), "Run on Linux 6.1 or later");
}

// One connection through a multishot accept. 6.6.1 to 6.8-rc3 handed out wrong descriptors here, so
// the descriptor's nature and its peer are compared.
ProbeCheck CheckAccept(Ring& ring, Descriptors& fds, int& out_client, int& out_server) {
  constexpr const char* kName = "multishot accept";
  const SocketAddress any_port = *SocketAddress::FromIp("127.0.0.1", 0);
  const absl::StatusOr<int> listener = OpenListener(any_port, ListenOptions{.backlog = 8});
  if (!listener.ok()) {
    return Untried(kName, std::string(listener.status().message()));
  }
  fds.Keep(*listener);
  io_uring_sqe* sqe = ring.GetSqe();
  io_uring_prep_multishot_accept(sqe, *listener, nullptr, nullptr, SOCK_CLOEXEC);
  sqe->user_data = kAcceptData;
  const int client = fds.Keep(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress address = LocalOf(*listener);
  if (client < 0 || ::connect(client, address.data(), address.length()) != 0) {
    const std::string why = std::strerror(errno);
    CancelAndAwait(ring, kAcceptData);
    return Untried(kName, absl::StrCat("loopback connect: ", why));
  }
  const std::optional<Cqe> cqe = Await(ring, kAcceptData);
  const int server = cqe.has_value() && cqe->res >= 0 ? fds.Keep(cqe->res) : -1;
  if (!cqe.has_value() || cqe->more()) CancelAndAwait(ring, kAcceptData);
  struct stat status{};
  if (server < 0 || ::fstat(server, &status) != 0 || !S_ISSOCK(status.st_mode) ||
      PeerOf(server) != LocalOf(client)) {
    const int error = cqe.has_value() && cqe->res < 0 ? -cqe->res : 0;
    return Failed(kName,
                  error != 0 ? std::string(std::strerror(error))
                             : "it handed out no descriptor of the connection, or a wrong one",
                  "Run on Linux 6.1 or later; 6.6.1 to 6.8-rc3 have a known fault here");
  }
  out_client = client;
  out_server = server;
  return Passed(kName, "a loopback connection came through");
}

ProbeCheck CheckReceive(Ring& ring, BufferRing& buffers, int client, int server) {
  constexpr const char* kName = "multishot receive";
  constexpr std::string_view kMessage = "portcullis";
  io_uring_sqe* sqe = ring.GetSqe();
  io_uring_prep_recv_multishot(sqe, server, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = buffers.group();
  sqe->user_data = kRecvData;
  bool good = ::send(client, kMessage.data(), kMessage.size(), MSG_NOSIGNAL) > 0;
  const std::optional<Cqe> cqe = Await(ring, kRecvData);
  if (cqe.has_value()) {
    const BufferLease lease(buffers, *cqe);
    const auto bytes = lease.bytes();
    good = good && cqe->more() &&
           std::equal(bytes.begin(), bytes.end(), kMessage.begin(), kMessage.end());
  }
  if (!cqe.has_value() || cqe->more()) CancelAndAwait(ring, kRecvData);
  if (good && cqe.has_value()) return Passed(kName, "bytes came through a provided buffer");
  const int error = cqe.has_value() && cqe->res < 0 ? -cqe->res : 0;
  return Failed(kName,
                error != 0 ? std::string(std::strerror(error)) : "the bytes did not come through",
                "Run on Linux 6.1 or later");
}

// Checks that need a worker's kind of ring.
void CheckOperations(std::vector<ProbeCheck>& checks) {
  absl::StatusOr<std::unique_ptr<UringRing>> ring =
      UringRing::Create(RingOptions{.sq_entries = 16, .cq_entries = 64});
  if (!ring.ok()) {
    checks.push_back(Failed("ring", std::string(ring.status().message()), "See the checks above"));
    return;
  }
  absl::StatusOr<std::unique_ptr<BufferRing>> buffers =
      BufferRing::Create(**ring, kProbeGroup, 8, 256);
  checks.push_back(buffers.ok()
                       ? Passed("provided buffers", "registered")
                       : Failed("provided buffers", std::string(buffers.status().message()),
                                "Run on Linux 6.1 or later"));
  Descriptors fds;
  int client = -1;
  int server = -1;
  checks.push_back(CheckAccept(**ring, fds, client, server));
  if (server >= 0 && buffers.ok())
    checks.push_back(CheckReceive(**ring, **buffers, client, server));
}

ProbeCheck CheckOpenFiles() {
  rlimit limit{};
  static_cast<void>(::getrlimit(RLIMIT_NOFILE, &limit));
  const bool ok = limit.rlim_max >= kComfortableFiles;
  return {.name = "open files",
          .ok = ok,
          .required = false,
          .detail = absl::StrCat("limit ", limit.rlim_cur, ", may be raised to ", limit.rlim_max),
          .remedy = ok ? ""
                       : "A connection takes two: set LimitNOFILE= (systemd) or ulimit -n to 2 x "
                         "max_connections + 64"};
}

ProbeCheck CheckBacklog() {
  const std::optional<long> value = ReadNumber("/proc/sys/net/core/somaxconn");
  const bool ok = value.has_value() && *value >= kComfortableBacklog;
  return {.name = "listen backlog",
          .ok = ok,
          .required = false,
          .detail = value.has_value() ? absl::StrCat("net.core.somaxconn is ", *value)
                                      : "net.core.somaxconn cannot be read",
          .remedy =
              ok ? "" : "sysctl -w net.core.somaxconn=4096, or bursts of connections are dropped"};
}

}  // namespace

bool ProbeReport::ok() const {
  return std::all_of(checks.begin(), checks.end(),
                     [](const ProbeCheck& check) { return check.ok || !check.required; });
}

ProbeReport Probe() {
  ProbeReport report;
  report.checks.push_back(CheckKernel());
  if (report.ok()) {
    report.checks.push_back(CheckFlags());
    report.checks.push_back(CheckOpcodes());
  }
  if (report.ok()) CheckOperations(report.checks);
  report.checks.push_back(CheckOpenFiles());
  report.checks.push_back(CheckBacklog());
  return report;
}

}  // namespace portcullis::io
