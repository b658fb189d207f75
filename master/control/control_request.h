// The requests of control clients (docs/control.md): a line of words each.
#pragma once

#include "master/control/user_choice.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

struct ControlRequest {
    enum class Kind {
        kill,
        stop,
        drain,
        end_drain,
        stats,
        status,
        users,
        kick,
        events,
        upgrade,
        upgrade_status,
        reload,
        reload_status
    };
    Kind kind;
    uint32_t worker = 0; // from 1; of requests about a worker
    bool bridge = false; // kill, stop: the bridge is meant
    uint32_t slot = 0;   // users: the first one that is asked for
    UserChoice user{};   // kick
};

// The request in a line, given without its newline. Nothing if the line is none.
[[nodiscard]] std::optional<ControlRequest> parse_control_request(std::string_view line);

// All requests, as an answer lists them: "stats, status, ... or drain N".
extern const char* const control_requests;

} // namespace chatserv
