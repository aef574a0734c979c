#include "core/ocsp/resolver.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "io/host_lookup.h"

namespace portcullis::ocsp {

struct Resolver::Work {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> hosts;
  bool stopping = false;
  std::shared_ptr<ResolvedSink> sink;

  void Run() {
    while (true) {
      std::string host;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return stopping || !hosts.empty(); });
        if (stopping) return;
        host = std::move(hosts.front());
        hosts.pop_front();
      }
      absl::StatusOr<std::vector<io::SocketAddress>> found = io::LookUpHost(host, "", false);
      std::vector<io::SocketAddress> addresses;
      if (found.ok()) addresses = *std::move(found);
      sink->Resolved(host, std::move(addresses));
    }
  }
};

Resolver::Resolver(std::shared_ptr<ResolvedSink> sink) : work_(std::make_shared<Work>()) {
  work_->sink = std::move(sink);
  std::thread([work = work_] { work->Run(); }).detach();
}

Resolver::~Resolver() {
  const std::lock_guard lock(work_->mutex);
  work_->stopping = true;
  work_->changed.notify_all();
}

void Resolver::Resolve(std::string host) {
  const std::lock_guard lock(work_->mutex);
  work_->hosts.push_back(std::move(host));
  work_->changed.notify_all();
}

}  // namespace portcullis::ocsp
