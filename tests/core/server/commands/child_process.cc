#include "tests/core/server/commands/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

constexpr int kPatienceMs = 20000;

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv,
                           const std::vector<std::pair<std::string, std::string>>& environment) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
  std::vector<char*> arguments;
  for (const std::string& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(fds[1], 1);
    dup2(fds[1], 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(fds[1]);
  read_fd_ = fds[0];
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (read_fd_ >= 0) close(read_fd_);
}

const std::string& ChildProcess::ReadUntil(std::string_view mark) {
  while (mark.empty() || output_.find(mark) == output_.npos) {
    pollfd polled{.fd = read_fd_, .events = POLLIN, .revents = 0};
    const int ready = poll(&polled, 1, kPatienceMs);
    EXPECT_EQ(ready, 1) << "nothing came after: " << output_;
    if (ready != 1) break;
    std::array<char, 4096> buffer;
    const ssize_t count = read(read_fd_, buffer.data(), buffer.size());
    if (count <= 0) break;
    output_.append(buffer.data(), static_cast<size_t>(count));
  }
  return output_;
}

void ChildProcess::Signal(int signal) const { EXPECT_EQ(kill(pid_, signal), 0); }

int ChildProcess::Wait() {
  ReadUntil("");
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) EXPECT_EQ(errno, EINTR);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace portcullis::server
