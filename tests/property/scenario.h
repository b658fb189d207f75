// A random conversation: which clients join, how much they send, which read slowly and how each
// leaves, in one order.
//
// A scenario is a plan and knows no server: the same plan is carried out against the reference and
// against chatserv.
#pragma once

#include "shared/segment/role.h"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::test {

enum class Action {
    join,
    send,
    half_close,  // end of file, then reading on; one that only listens stays
    reset,       // with a TCP reset
    close,       // as a program that is interrupted
    pause,       // stops reading
    resume,      // each pause has its resume a few steps later, so no wait can be for ever
    await_joins, // until it is known of every client whether it got in
};

struct Step {
    Action action{};
    std::size_t client = 0;
    std::uint64_t bytes = 0; // of a send
    unsigned turns = 0;      // how often the clients get to read and write before the next step
};

struct ClientPlan {
    std::optional<unsigned> sender; // id in the stream code; a client without one only reads
    Role role = Role::talk;         // what one that only listens sends must reach nobody
    bool ipv6 = false;
    int receive_buffer_bytes = 0; // 0: the system's choice
};

struct Scenario {
    std::uint64_t seed = 0;
    unsigned users = 0;
    std::string log_size; // as in --log-size; "": chatserv's default
    std::string replay;   // as in --replay; "": newcomers get nothing from before they came
    // Clients 0 and 1 join first, talk, and stay to the end.
    std::vector<ClientPlan> clients;
    std::vector<Step> steps;
};

[[nodiscard]] Scenario make_scenario(std::uint64_t seed);

std::ostream& operator<<(std::ostream& out, const Scenario& scenario);

} // namespace chatserv::test
