// One run of the load generator against one server: the connections, what they send, and the
// result.
//
// One thread and one kqueue serve all senders and listeners. Senders write the same buffer of lines
// again and again; listeners check every line of it (receiver.h).
#pragma once

#include "bench/load/framing.h"
#include "bench/load/latency.h"
#include "bench/load/options.h"
#include "bench/load/receiver.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::bench {

struct LineCounts {
    uint64_t sent = 0;
    uint64_t deliveries = 0; // lines received, summed over all listeners
    uint64_t torn = 0;       // ... of them, those that other senders' bytes were written into
};

struct LoadResult {
    LineCounts lines{};   // without the warm-up's
    uint64_t missing = 0; // lines that were not received
    double seconds = 0;   // from the first line sent to the last line delivered
    // The longest time, while lines were sent, in which no listener received anything.
    double longest_silence_seconds = 0;
    std::string error{}; // the first error; empty: none
    Latency latency{};   // if paced: measured from the time at which a line was due
};

struct SilenceResult {
    size_t connections = 0;
    double seconds = 0;
    std::string error{}; // the connection that was closed first; empty: none
};

class Load {
public:
    // Connects. Throws std::system_error.
    explicit Load(const LoadOptions& options);

    // Returns when every listener receives lines, and the warm-up is over. From then on the stalled
    // ones read nothing.
    // Throws std::runtime_error if a listener receives none.
    void await_listeners();
    // Sends for as long, or as much, as the options say. Returns when every listener has every
    // line, but no later than `patience` after the end of sending.
    [[nodiscard]] LoadResult run();
    // Sends nothing for as long as the options say.
    [[nodiscard]] SilenceResult stay_silent();

private:
    using Clock = std::chrono::steady_clock;

    struct Connection {
        UniqueFd socket{};
        std::unique_ptr<Receiver> receiver{}; // null: the connection does not listen
        int sender = -1;     // number of the sender; -1: the connection sends nothing
        std::string carry{}; // received bytes, at most a message
        bool closed = false;
    };
    struct Sender {
        size_t connection;
        std::string buffer; // `numbers_` messages
        size_t offset = 0;  // in the buffer
        uint64_t sent_bytes = 0;
        uint64_t bytes_max = std::numeric_limits<uint64_t>::max(); // limit of sent_bytes
        bool writing = false; // writes whenever the socket has room
    };

    void connect_all();
    [[nodiscard]] std::string line_of(uint64_t sender, uint64_t number) const;
    [[nodiscard]] std::string published_lines(uint64_t sender) const;
    void make_streams();
    void stall_readers();
    void probe(uint64_t number);
    [[nodiscard]] bool all_have(uint64_t probe) const;
    void await(uint64_t probe);
    void warm_up_paced(uint64_t probe);
    void warm_up_flood();
    bool turn(Clock::time_point until);
    void receive(Connection& connection);
    void begin_writing();
    void end_writing(Sender& sender);
    void write(Sender& sender);
    void write_due(Clock::time_point now);
    bool write_some(Sender& sender, size_t bytes_max);
    [[nodiscard]] bool all_is_sent() const;
    void send_everything(double seconds);
    void finish_lines(Clock::time_point give_up);
    void receive_the_rest(Clock::time_point give_up);
    void read_floor();
    [[nodiscard]] uint64_t message_bytes() const; // length of one published line with its framing
    [[nodiscard]] uint64_t lines_sent_by(const Sender& sender) const;
    [[nodiscard]] LineCounts counts() const;
    [[nodiscard]] uint64_t missing() const;
    [[nodiscard]] std::string disagreement() const;
    [[nodiscard]] std::string first_error() const;
    static Clock::duration duration_of(double seconds);
    [[nodiscard]] uint64_t nanoseconds(Clock::time_point time) const;

    LoadOptions options_;
    Framing framing_;
    uint64_t numbers_; // lines in a sender's buffer
    Latency latency_{};
    Expectations expectations_;
    EventQueue events_;
    std::vector<Connection> connections_; // listeners, then senders, then stalled listeners
    std::vector<Sender> senders_;
    std::vector<char> incoming_;
    LineCounts warm_up_counts_{};
    Clock::time_point began_{};
    Clock::time_point end_of_sending_{};
    Clock::time_point last_delivery_{};
    Clock::duration longest_silence_{};
    size_t writing_ = 0; // number of senders that are writing
    uint64_t paced_lines_ = 0;
    bool sending_ = false;
};

} // namespace chatserv::bench
