#include "master/commands/readings.h"

#include "master/commands/asking.h"
#include "shared/system/failure.h"

#include <fmt/core.h>
#include <map>
#include <sysexits.h>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

[[noreturn]] void fail_unknown(const ControlClient& server, const char* what) {
    throw Failure(
        EX_UNAVAILABLE, fmt::format("the server at {} sent a message that no chatserv sends: {}",
                            server.path(), what));
}

// Servers of former versions do not say it.
std::optional<std::string> text_or_none(const ordered_json& said, const char* key) {
    const auto found = said.find(key);
    return found == said.end() || found->is_null() ? std::nullopt
                                                   : std::optional<std::string>(*found);
}

ordered_json json_of(const std::optional<std::string>& text) {
    return text ? ordered_json(*text) : ordered_json(nullptr);
}

UserReading user_of(const ordered_json& said, int64_t clock_ms) {
    return {.slot = said.at("slot"),
        .generation = said.at("generation"),
        .address = said.at("address"),
        .name = text_or_none(said, "name"),
        .role = said.value("role", "talk"), // servers of former versions know no other
        .source = text_or_none(said, "source"),
        .since_ms = said.at("since_ms"),
        .worker = said.at("worker"),
        .bytes_in = said.at("bytes_in"),
        .bytes_out = said.at("bytes_out"),
        .backlog = said.at("backlog"),
        .clock_ms = clock_ms};
}

// Nothing where no time has passed, or where the numbers are not of the same server.
std::optional<double> rate(uint64_t now, uint64_t before, int64_t milliseconds) {
    if (milliseconds <= 0 || now < before)
        return std::nullopt;
    return static_cast<double>(now - before) * 1000 / static_cast<double>(milliseconds);
}

ordered_json json_of(const std::optional<double>& rate) {
    return rate ? ordered_json(*rate) : ordered_json(nullptr);
}

} // namespace

std::vector<UserReading> read_users(ControlClient& server) {
    std::vector<UserReading> users;
    uint32_t from = 0;
    for (;;) {
        const ordered_json said = ask(server, fmt::format("users {}", from), "users");
        try {
            for (const ordered_json& user : said.at("users"))
                users.push_back(user_of(user, said.at("clock_ms")));
            if (said.at("next").is_null())
                return users;
            const uint32_t next = said.at("next");
            if (next <= from)
                fail_unknown(server, "a list of users without end");
            from = next;
        } catch (const nlohmann::json::exception& failure) {
            fail_unknown(server, failure.what());
        }
    }
}

ordered_json read_status(ControlClient& server) {
    return ask(server, "status", "status");
}

void set_rates(std::vector<UserReading>& now, const std::vector<UserReading>& before) {
    std::map<std::pair<uint32_t, uint32_t>, const UserReading*> known;
    for (const UserReading& user : before)
        known[{user.slot, user.generation}] = &user;
    for (UserReading& user : now) {
        const auto found = known.find({user.slot, user.generation});
        if (found == known.end())
            continue;
        const UserReading& was = *found->second;
        user.in_rate = rate(user.bytes_in, was.bytes_in, user.clock_ms - was.clock_ms);
        user.out_rate = rate(user.bytes_out, was.bytes_out, user.clock_ms - was.clock_ms);
    }
}

void set_rates(ordered_json& now, const ordered_json& before) {
    const int64_t time = now.value("clock_ms", int64_t{0}) - before.value("clock_ms", int64_t{0});
    const auto rate_of = [&](const char* total) {
        return rate(now.value(total, uint64_t{0}), before.value(total, uint64_t{0}), time);
    };
    now["in_rate"] = json_of(rate_of("bytes_in"));
    now["out_rate"] = json_of(rate_of("bytes_out"));
}

ordered_json json_of(const UserReading& user) {
    return {{"slot", user.slot}, {"generation", user.generation}, {"address", user.address},
        {"name", json_of(user.name)}, {"role", user.role}, {"source", json_of(user.source)},
        {"since_ms", user.since_ms}, {"worker", user.worker}, {"bytes_in", user.bytes_in},
        {"bytes_out", user.bytes_out}, {"backlog", user.backlog},
        {"in_rate", json_of(user.in_rate)}, {"out_rate", json_of(user.out_rate)}};
}

} // namespace chatserv
