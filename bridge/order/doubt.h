// What a host does when another one has read something else (witnesses.h): it asks all to say what
// they have read, gives them time, and then goes on with a majority or ends its room.
#pragma once

#include "bridge/order/witnesses.h"

#include <chrono>
#include <optional>

namespace chatserv {

class Doubt {
public:
    using Time = std::chrono::steady_clock::time_point;

    static constexpr std::chrono::milliseconds asked_every{1000}; // a question can be lost
    static constexpr std::chrono::milliseconds time_to_answer{3500};

    enum class Step {
        none,
        ask,  // publish MessageKind::ask
        lost, // OrderLoss::outvoted
    };

    // After each message, and when due().
    [[nodiscard]] Step look(const Witnesses& witnesses, Time now);
    [[nodiscard]] std::optional<Time> due() const;

private:
    struct Asking {
        Time until;
        Time again;
    };
    std::optional<Asking> asking_;
};

} // namespace chatserv
