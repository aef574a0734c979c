#include "core/ocsp/resolver.h"

#include <condition_variable>
#include <map>
#include <mutex>

#include "gtest/gtest.h"

namespace portcullis::ocsp {
namespace {

class Sink final : public ResolvedSink {
 public:
  void Resolved(const std::string& host, std::vector<io::SocketAddress> addresses) override {
    const std::lock_guard lock(mutex_);
    found_[host] = std::move(addresses);
    changed_.notify_all();
  }
  std::vector<io::SocketAddress> Wait(const std::string& host) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return found_.contains(host); });
    return found_[host];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<io::SocketAddress>> found_;
};

TEST(Resolver, FindsWhatThereIs) {
  const auto sink = std::make_shared<Sink>();
  Resolver resolver(sink);
  resolver.Resolve("localhost");
  resolver.Resolve("nobody.invalid");
  const std::vector<io::SocketAddress> local = sink->Wait("localhost");
  ASSERT_FALSE(local.empty());
  EXPECT_TRUE(local[0].is_ip());
  EXPECT_EQ(local[0].port(), 0);
  EXPECT_TRUE(sink->Wait("nobody.invalid").empty());
}

TEST(Resolver, MayGoWhileItsThreadIsBusy) {
  const auto sink = std::make_shared<Sink>();
  for (int i = 0; i < 20; ++i) {
    Resolver resolver(sink);
    resolver.Resolve("localhost");
  }
}

}  // namespace
}  // namespace portcullis::ocsp
