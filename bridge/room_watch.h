// Whether what users say gets into the room, since when it does or does not, and why not (H4). What
// this process finds goes on from what its predecessor has reported, so the death of a bridge does
// not begin a new wait.
//
// The engine's link alone does not say it: a server without a quorum may go on delivering what it
// has, while nothing new gets into the stream. So what was published and does not come back counts.
#pragma once

#include "bridge/engine/engine.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace chatserv {

struct RoomCondition {
    LinkState state = LinkState::connecting;
    // Since when it is or is not `delivering`: milliseconds since 1970.
    uint64_t since_ms = 0;
    std::string trouble{}; // why it is not, or empty

    [[nodiscard]] bool is_well() const { return state == LinkState::delivering; }
    bool operator==(const RoomCondition&) const = default;
};

class RoomWatch {
public:
    using Time = std::chrono::steady_clock::time_point;

    // What comes back does so in milliseconds as a rule.
    static constexpr std::chrono::milliseconds way_back_max{2000};
    // A link that is back by then is not worth a line.
    static constexpr std::chrono::milliseconds worth_a_line{1000};

    // What the process sees of the room.
    struct Sight {
        Link link{};
        std::optional<Time> waiting_since{}; // Exchange::waiting_since()
    };

    // `former`: what the predecessor has reported, if there was one.
    explicit RoomWatch(std::optional<RoomCondition> former) : former_(std::move(former)) {}

    // `wall_ms`: the same instant as `now`, in milliseconds since 1970.
    void look(const Sight& sight, Time now, uint64_t wall_ms);
    [[nodiscard]] const RoomCondition& condition() const { return condition_; }
    // When to look again although nothing has happened.
    [[nodiscard]] std::optional<Time> due() const { return due_; }

    // What is to be said in the log.
    struct News {
        enum class Kind { waits, goes_on };
        Kind kind;
        uint64_t since_ms; // since when it did not deliver: milliseconds since 1970
    };
    // What look() has found, once.
    [[nodiscard]] std::optional<News> take_news() { return std::exchange(news_, std::nullopt); }

private:
    [[nodiscard]] Link seen(const Sight& sight, Time now);
    void begin(const Link& seen, Time now, uint64_t wall_ms);
    void consider(Time when) { due_ = due_ ? std::min(*due_, when) : when; }

    std::optional<RoomCondition> former_;
    RoomCondition condition_;
    bool has_looked_ = false;
    Time state_since_{}; // of this process's reading
    std::optional<Time> due_;
    std::optional<LinkState> said_; // what was said last of the present wait
    bool is_said_ = false;          // the present wait was said, by this process or an earlier one
    std::optional<News> news_;
};

} // namespace chatserv
