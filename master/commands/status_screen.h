// The screen of plain text that `chatserv status` prints, and that `chatserv top` begins with.
#pragma once

#include "master/control/control_client.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace chatserv {

// `status`: a reading, with or without rates (readings.h). `now_ms`: the time of day, in
// milliseconds since 1970. Throws Failure(EX_UNAVAILABLE) for an object that no chatserv sends.
[[nodiscard]] std::string status_screen(
    const ControlClient& server, const nlohmann::ordered_json& status, uint64_t now_ms);
// Its first part: the server, its users, its traffic and its log.
[[nodiscard]] std::string status_head(
    const ControlClient& server, const nlohmann::ordered_json& status, uint64_t now_ms);

} // namespace chatserv
