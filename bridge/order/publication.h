// What of this host's outbound log is to be published, and when again: what was published and has
// not been seen back in the stream, where it counts (filter.h).
//
// No answer of the engine's is trusted, and none is needed: the host's own reading is the
// acknowledgement. If nothing of what is under way has counted for a while, all of it is published
// again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace chatserv {

class Publication {
public:
    using Time = std::chrono::steady_clock::time_point;

    // After this time without progress it is published again; then after twice the time, and so on.
    static constexpr std::chrono::milliseconds pause_min{600};
    static constexpr std::chrono::milliseconds pause_max{4800};
    // Published and not seen back, at most, unless the constructor is told otherwise.
    static constexpr uint64_t under_way_bytes_max = 1024 * 1024;

    // `counted`: outbound offset; what lies in front of it has counted.
    explicit Publication(uint64_t counted, uint64_t bytes_under_way_max = under_way_bytes_max) :
        counted_(counted), published_(counted), bytes_under_way_max_(bytes_under_way_max) {}

    // From which outbound offset on something is to be published now; nothing if there is nothing
    // or enough is under way. `head`: of the outbound log.
    [[nodiscard]] std::optional<uint64_t> next(uint64_t head) const;
    // All up to this offset was handed to the engine.
    void published(uint64_t to, Time now);
    // Order::counted(), after each message.
    void counted(uint64_t to, Time now);
    // A join: what is under way does not count any more.
    void begin_epoch(Time now);

    // When what is under way is to be published again; nothing if nothing is.
    [[nodiscard]] std::optional<Time> due() const;
    // Whether it is now; if so, next() begins from what has counted.
    bool again(Time now);

    [[nodiscard]] uint64_t under_way_bytes() const { return published_ - counted_; }
    // Since when what was published has not counted; nothing if nothing is under way (H4).
    [[nodiscard]] std::optional<Time> waiting_since() const { return waiting_since_; }

private:
    uint64_t counted_;
    uint64_t published_;
    uint64_t bytes_under_way_max_;
    std::optional<Time> waiting_since_;
    Time tried_{};
    std::chrono::milliseconds pause_ = pause_min;
};

} // namespace chatserv
