#include "core/server/commands/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "absl/status/status.h"

#include "core/server/commands/text.h"
#include "io/check.h"

namespace portcullis::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kKeptBytes = 16 << 20;

// Closes on scope exit; -1 is none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void Reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;

  absl::Status Open() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
    read.Reset(fds[0]);
    write.Reset(fds[1]);
    return absl::OkStatus();
  }
};

std::vector<std::string> Environment(
    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name =
        std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    const bool changed = std::any_of(changes.begin(), changes.end(),
                                     [name](const auto& change) { return change.first == name; });
    if (!changed) result.emplace_back(*entry);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) result.push_back(Cat(name, "=", value));
  }
  return result;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  // posix_spawn takes char* const* and does not write through it.
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& argv,
                            const std::vector<std::string>& environment, int out_fd, int err_fd) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
  posix_spawn_file_actions_adddup2(&actions, err_fd, 2);
  sigset_t none;
  sigset_t pipe_only;
  sigemptyset(&none);
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &pipe_only);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const std::vector<char*> arguments = Pointers(argv);
  const std::vector<char*> variables = Pointers(environment);
  const int error = posix_spawnp(&pid, argv[0].c_str(), &actions, &attributes, arguments.data(),
                                 variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) return absl::NotFoundError(Cat(argv[0], " is not installed"));
  if (error != 0) return absl::ErrnoToStatus(error, argv[0]);
  return pid;
}

// Reads what has come; closes `source` at its end.
void ReadSome(Descriptor& source, std::string& kept) {
  std::array<char, 65536> buffer;
  const ssize_t count = read(source.get(), buffer.data(), buffer.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) return source.Reset();
  kept.append(buffer.data(), std::min(static_cast<size_t>(count), kKeptBytes - kept.size()));
}

// Waits until `process` (a pidfd) has ended and its output is read. False: `deadline` came first.
bool Collect(const Descriptor& process, Descriptor& out, Descriptor& err,
             Clock::time_point deadline, ProcessResult& result) {
  bool running = true;
  while (running || out.get() >= 0 || err.get() >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    // poll passes over negative descriptors.
    pollfd polled[] = {{.fd = running ? process.get() : -1, .events = POLLIN, .revents = 0},
                       {.fd = out.get(), .events = POLLIN, .revents = 0},
                       {.fd = err.get(), .events = POLLIN, .revents = 0}};
    const int ready = poll(polled, std::size(polled), static_cast<int>(left.count()));
    CHECK(ready >= 0 || errno == EINTR, "poll");
    if (ready <= 0) continue;
    if (polled[0].revents != 0) running = false;
    if (polled[1].revents != 0) ReadSome(out, result.out);
    if (polled[2].revents != 0) ReadSome(err, result.err);
  }
  return true;
}

int Reap(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) CHECK(errno == EINTR, "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(
    const std::vector<std::string>& argv,
    const std::vector<std::pair<std::string, std::string>>& environment,
    std::chrono::milliseconds timeout) {
  CHECK(!argv.empty());
  Pipe out;
  Pipe err;
  for (Pipe* pipe : {&out, &err}) {
    if (absl::Status status = pipe->Open(); !status.ok()) return status;
  }
  const Clock::time_point deadline = Clock::now() + timeout;
  const absl::StatusOr<pid_t> pid =
      Spawn(argv, Environment(environment), out.write.get(), err.write.get());
  if (!pid.ok()) return pid.status();
  out.write.Reset();
  err.write.Reset();
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  CHECK(process.get() >= 0, "pidfd_open");
  ProcessResult result;
  const bool ended = Collect(process, out.read, err.read, deadline, result);
  if (!ended) kill(*pid, SIGKILL);
  result.exit_code = Reap(*pid);
  if (!ended) {
    return absl::DeadlineExceededError(Cat(argv[0], " ran longer than ", timeout.count(), " ms"));
  }
  return result;
}

}  // namespace portcullis::server
