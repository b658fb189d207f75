// A connect storm: opens very many connections at once, and measures how long it takes until all of
// them are served.
//
// All connections begin together, none waits for another, and each sends the protocol's first words
// as soon as it can. A connection is served when it has received a probe: a line from a sender that
// was connected before. A connection that the kernel has completed is not yet served by the server.
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
    size_t connections = 0; // number of connections that were served
    double seconds = 0;     // from the first connect(2) until the last connection had a probe
    std::string error{};    // how many were not served, and why; empty: all were served
};

class Storm {
public:
    // Connects the sender. Throws std::system_error.
    explicit Storm(const LoadOptions& options);

    // Returns when all connections are served or have failed, but no later than after `patience`.
    [[nodiscard]] StormResult run();

private:
    using Clock = std::chrono::steady_clock;

    enum class Stage { connecting, greeting, listening, served, failed };
    struct Connection {
        UniqueFd socket{};
        Handshake handshake;
        Receiver receiver;
        Stage stage = Stage::connecting;
        std::string carry{}; // received bytes: less than an answer or a message
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
    std::map<std::string, size_t> failures_{}; // number of failed connections by reason
    size_t listening_ = 0;                     // number of connections not yet served
    size_t served_ = 0;
    Clock::time_point last_served_{};
    bool sender_gone_ = false;
    // The last probe that was sent.
    uint64_t probe_ = 0;
    size_t behind_ = 0; // number of served connections that do not have it yet
    Clock::time_point probed_{};
    Clock::time_point next_probe_{};
};

} // namespace chatserv::bench
