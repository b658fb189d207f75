// One run of the load generator against one server: who connects, what is said, and what came of
// it.
//
// One thread and one kqueue for all senders and listeners. Senders write the same buffer of lines
// again and again; listeners look at every line of it (receiver.h).
#pragma once

#include "bench/load/framing.h"
#include "bench/load/latency.h"
#include "bench/load/options.h"
#include "bench/load/receiver.h"
#include "shared/event_queue.h"
#include "shared/fd.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::bench {

struct LoadResult {
    uint64_t lines_sent = 0;
    uint64_t deliveries = 0; // of whole lines, all listeners together
    uint64_t missing = 0;    // lines that did not come
    double seconds = 0;      // from the first line sent to the last one delivered
    std::string error{};     // what was wrong first; empty: nothing
    Latency latency{};       // paced: from when a line was due to be sent
};

class Load {
public:
    // Connects. Throws std::system_error.
    explicit Load(const LoadOptions& options);

    // Returns when every listener listens. Throws std::runtime_error where one does not.
    void await_listeners();
    [[nodiscard]] LoadResult run();

private:
    using Clock = std::chrono::steady_clock;

    struct Connection {
        UniqueFd socket{};
        std::unique_ptr<Receiver> receiver{}; // of one that listens
        int sender = -1;                      // the number of one that sends
        std::string carry{};                  // received, less than a message
        bool closed = false;
    };
    struct Sender {
        size_t connection;
        std::string buffer; // `numbers_` messages
        size_t offset = 0;  // in the buffer
        uint64_t sent_bytes = 0;
    };

    void connect_all();
    [[nodiscard]] std::string published_lines(uint64_t sender) const;
    void make_streams();
    void probe(uint64_t number);
    bool turn(Clock::time_point until);
    void receive(Connection& connection);
    void write(Sender& sender, Clock::time_point now);
    void write_due(Clock::time_point now);
    bool write_some(Sender& sender, size_t bytes_max);
    void watch_senders(bool on);
    void finish_lines();
    void send_everything();
    void read_floor();
    [[nodiscard]] uint64_t lines_sent_by(const Sender& sender) const;
    [[nodiscard]] uint64_t missing() const;
    [[nodiscard]] std::string disagreement() const;
    [[nodiscard]] std::string first_error() const;
    [[nodiscard]] uint64_t nanoseconds(Clock::time_point time) const;

    LoadOptions options_;
    Framing framing_;
    uint64_t numbers_; // lines of a sender's buffer
    Latency latency_{};
    Expectations expectations_;
    EventQueue events_;
    std::vector<Connection> connections_;
    std::vector<Sender> senders_;
    std::vector<char> incoming_;
    Clock::time_point began_{};
    Clock::time_point end_of_sending_{};
    Clock::time_point last_delivery_{};
    uint64_t paced_lines_ = 0;
    bool sending_ = false;
};

} // namespace chatserv::bench
