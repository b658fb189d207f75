// A server with one worker, and clients who see how long the death of one of its processes keeps
// them waiting. The table of users is full, so a newcomer is answered by the master alone.
#pragma once

#include "shared/system/event_queue.h"
#include "shared/system/fd.h"
#include "tests/harness/loop.h"
#include "tests/harness/server.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace chatserv::bench {

// Prints the line and ends the program.
[[noreturn]] void fail(const std::string& what);

class Crowd {
public:
    // Ends the program where a client cannot join, as the other functions do where something else
    // goes wrong than what they kill.
    explicit Crowd(size_t clients);

    // Milliseconds from the beginning, which is the SIGKILL of the worker where there is one, until
    // the first of the other clients has the byte that one client sends, and until all have it.
    struct Delivered {
        double first_ms;
        double last_ms;
    };
    enum class Worker { lives, is_killed };
    Delivered deliver(Worker worker);

    // Milliseconds from the beginning, which is the SIGKILL of the master where there is one, until
    // a newcomer that connects at once is answered; and the longest that a byte took to all
    // clients, of those that were sent, one after the other, until then and a little longer.
    struct Knocked {
        double answered_ms;
        double longest_wait_ms;
    };
    enum class Master { lives, is_killed };
    Knocked knock(Master master);

private:
    using Clock = std::chrono::steady_clock;
    enum class Watched : uint8_t { client = 1, newcomer = 2 };

    void connect_one();
    // Returns when all clients have the byte; calls `first` when the first one has it.
    template <typename First>
    void deliver_byte(First first);
    void handle(const EventQueue::Event& event);
    void wait_for_master(pid_t dead);
    void read_log();
    size_t joined();
    size_t taken_over();

    test::Loop loop_;
    test::Server server_;
    EventQueue events_;
    std::vector<UniqueFd> sockets_;                // the first one sends
    size_t outstanding_ = 0;                       // clients that do not have the byte yet
    std::optional<Clock::time_point> answered_at_; // the newcomer
    size_t lines_seen_ = 0;
    size_t joined_ = 0;
    size_t taken_over_ = 0;
    pid_t worker_ = 0;
};

} // namespace chatserv::bench
