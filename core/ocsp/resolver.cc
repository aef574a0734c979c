#include "core/ocsp/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace portcullis::ocsp {
namespace {

std::vector<io::SocketAddress> LookUp(const std::string& host) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  std::vector<io::SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    addresses.push_back(io::SocketAddress::FromSockaddr(one->ai_addr, one->ai_addrlen));
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

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
      std::vector<io::SocketAddress> addresses = LookUp(host);
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
