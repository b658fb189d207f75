// Readings of a running server: its status and its users at an instant, and the rates between two
// such instants.
//
// The server keeps no rates. Its numbers are absolute, survive every process of the server, and
// come with the instant of its steady clock, so whoever asks twice has the rates of that time.
#pragma once

#include "master/commands/asking.h"

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace chatserv {

struct UserReading {
    uint32_t slot = 0;
    uint32_t generation = 0; // with the slot, names this user and no later one
    std::string address{};
    std::optional<std::string> name{};   // that the user gave as its first line
    std::string role = "talk";           // as name_of(Role) has it
    std::optional<std::string> source{}; // as `status` names it; none: it came by itself
    uint64_t since_ms = 0;               // since 1970
    uint32_t worker = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    uint64_t backlog = 0; // bytes
    int64_t clock_ms = 0;
    // Bytes a second; nothing for a user that was not there at the reading before.
    std::optional<double> in_rate{};
    std::optional<double> out_rate{};
};

// Each asks the server, and throws Failure as ask() does.
// Every user, by slot. Users that come or leave while the pages of the list are asked for may be
// missing; nobody is in it twice.
[[nodiscard]] std::vector<UserReading> read_users(ControlClient& server);
// The object that docs/control.md describes.
[[nodiscard]] nlohmann::ordered_json read_status(ControlClient& server);

// Sets the rates in `now`.
void set_rates(std::vector<UserReading>& now, const std::vector<UserReading>& before);
// Adds `in_rate` and `out_rate`, in bytes a second; null where no time has passed.
void set_rates(nlohmann::ordered_json& now, const nlohmann::ordered_json& before);

// As `chatserv users --json` prints it.
[[nodiscard]] nlohmann::ordered_json json_of(const UserReading& user);

// `read`: one of the two above. Reads twice, `interval` apart, and sets the rates; at once and
// without rates if it is zero. If a master dies meanwhile, the next one is asked.
template <typename Read>
[[nodiscard]] auto read_with_rates(
    ControlClient& server, std::chrono::milliseconds interval, Read read) {
    auto before = ask_any_master(server, read);
    if (interval == std::chrono::milliseconds::zero())
        return before;
    std::this_thread::sleep_for(interval);
    auto now = ask_any_master(server, read);
    set_rates(now, before);
    return now;
}

} // namespace chatserv
