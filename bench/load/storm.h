// A connect storm: very many connections at once, and how long until all of them are served.
//
// All are begun together, none waits for another, and what a protocol wants said first is said on
// each as soon as it can be. A connection is served when it has heard a probe, a line of a sender
// that was connected before; that a kernel has completed a connection says nothing of the server.
#pragma once

#include "bench/load/framing.h"
#include "bench/load/options.h"
#include "bench/load/receiver.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace chatserv::bench {

struct StormResult {
    size_t connections = 0; // that were served
    double seconds = 0;     // from the first connect(2) until the last of them had heard a probe
    std::string error{};    // how many were not served, and why; empty: all were
};

class Storm {
public:
    // Connects the sender. Throws std::system_error.
    explicit Storm(const LoadOptions& options);

    // Returns when all are served or have failed; at the latest after `patience`.
    [[nodiscard]] StormResult run();

private:
    using Clock = std::chrono::steady_clock;

    enum class Stage { connecting, greeting, listening, served, failed };
    struct Connection {
        UniqueFd socket{};
        Handshake handshake;
        Receiver receiver;
        Stage stage = Stage::connecting;
        std::string carry{}; // received: less than an answer, or than a message
    };

    void begin_to_connect(size_t index);
    void turn(Clock::time_point until);
    void connected(size_t index, const EventQueue::Event& event);
    void receive(Connection& connection);
    void take(Connection& connection, Clock::time_point now);
    void fail(Connection& connection, const std::string& why);
    void receive_for_sender();
    void probe(Clock::time_point now);
    void probe_again(Clock::time_point now);
    [[nodiscard]] size_t unserved() const;
    [[nodiscard]] std::string error() const;

    LoadOptions options_;
    Framing framing_;
    Expectations expectations_;
    EventQueue events_;
    UniqueFd sender_;
    std::vector<Connection> connections_{};
    std::vector<char> incoming_;
    std::map<std::string, size_t> failures_{}; // how many, by what was wrong
    size_t listening_ = 0;                     // and not served
    size_t served_ = 0;
    Clock::time_point last_served_{};
    bool sender_gone_ = false;
    // The probe that is under way.
    uint64_t probe_ = 0;
    size_t behind_ = 0; // served, but have not heard it yet
    Clock::time_point probed_{};
    Clock::time_point next_probe_{};
};

} // namespace chatserv::bench
