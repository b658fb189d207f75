// A room on several hosts and real servers, as tests see it: hosts join it, their users talk, and
// in the end all must have one order, each word once.
#pragma once

#include "tests/bridge/bridged_host.h"
#include "tests/bridge/nats_cluster.h"

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

// Words in the name of a host, numbered, so that each place in them is unlike any other.
class Speaker {
public:
    explicit Speaker(char name) : name_(name) {}

    [[nodiscard]] std::string next() {
        std::string word = name_ + std::to_string(++count_) + ' ';
        said_ += word;
        return word;
    }
    [[nodiscard]] const std::string& said() const { return said_; }
    // Those of its words that are in this log, in the log's order.
    [[nodiscard]] std::string words_in(const std::string& log) const;

private:
    char name_;
    int count_ = 0;
    std::string said_;
};

class RoomScene : public testing::Test {
protected:
    void start(size_t servers, size_t with_hosts);
    void add_host(int replicas);
    // Turns all hosts until the condition holds; throws std::runtime_error when it does not.
    void run(const std::function<bool()>& condition, std::string_view what) {
        run_until(loop, hosts, condition, what);
    }
    // A word of each host that has not ended.
    void say_all();
    // What the hosts say while this lasts is interleaved as it comes.
    void talk(int rounds);
    // All hosts have all that was said, or one has ended.
    void settle();
    // settle(), and then no host has ended, and all have one order with each word once.
    void judge();

    Loop loop;
    std::optional<NatsCluster> cluster;
    std::vector<std::unique_ptr<BridgedHost>> hosts;
    std::vector<Speaker> speakers;
    std::vector<size_t> missed; // of each host, bytes from before its join
};

} // namespace chatserv::test
