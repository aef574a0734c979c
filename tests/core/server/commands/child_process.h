// ChildProcess: a program that a test starts, reads from, signals and waits for. Every wait ends
// after twenty seconds, as a failed expectation. What still runs at the end is killed. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::server {

class ChildProcess {
 public:
  // Starts argv[0] with `environment` (name, value) on top of this process's. stdin is empty;
  // stderr is merged into stdout.
  explicit ChildProcess(const std::vector<std::string>& argv,
                        const std::vector<std::pair<std::string, std::string>>& environment = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // ReadUntil returns all output so far, once `mark` is in it or it ended.
  const std::string& ReadUntil(std::string_view mark);

  void Signal(int signal) const;

  // Wait returns the exit code (128 + N after signal N) and leaves all output in output().
  int Wait();
  [[nodiscard]] const std::string& output() const { return output_; }

 private:
  pid_t pid_ = -1;
  int read_fd_ = -1;
  std::string output_;
};

}  // namespace portcullis::server
