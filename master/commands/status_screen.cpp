#include "master/commands/status_screen.h"

#include "master/commands/figures.h"
#include "master/config/option_values.h"
#include "shared/system/failure.h"
#include "shared/system/printable_text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <sysexits.h>
#include <vector>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

double number(const ordered_json& object, const char* name) {
    return object.at(name).get<double>();
}

std::string rate(const ordered_json& status, const char* name) {
    const auto found = status.find(name);
    const bool known = found != status.end() && found->is_number();
    return rate_text(known ? std::optional(found->get<double>()) : std::nullopt);
}

std::string listeners(const ordered_json& status) {
    const auto addresses = status.at("listen").get<std::vector<std::string>>();
    return addresses.empty() ? "none" : as_one_line(list_of(addresses));
}

std::string log_text(const ordered_json& log) {
    const double held = number(log, "held");
    const double bytes = number(log, "bytes");
    return fmt::format("{:.1f} % full: {} of {} wait for the slowest user{}",
        bytes == 0 ? 0 : 100 * held / bytes, bytes_text(held), bytes_text(bytes),
        log.at("senders_wait").get<bool>() ? "; senders wait" : "");
}

// Servers of other versions say nothing of it.
std::string metrics(const ordered_json& status) {
    const auto found = status.find("metrics");
    if (found == status.end() || found->is_null())
        return "";
    std::vector<std::string> places;
    for (const auto& address : found->at("listen"))
        places.push_back(fmt::format("http://{}/", address.get<std::string>()));
    const auto pid = found->at("pid").get<int64_t>();
    return fmt::format("metrics  {} ({})\n", as_one_line(list_of(places)),
        pid == 0 ? "the process is being started" : fmt::format("pid {}", pid));
}

std::string standing_of(const ordered_json& source) {
    const auto state = source.at("state").get<std::string>();
    const auto error = source.at("error").get<std::string>();
    if (state == "connected" && source.at("slot").is_number())
        return fmt::format("connected, user {}", source.at("slot").get<uint32_t>());
    if (state == "waiting" && source.at("next_try_ms").is_number())
        return fmt::format("not connected{}, next try in {:.1f} s",
            error.empty() ? "" : " (" + error + ")", number(source, "next_try_ms") / 1000);
    return state == "trying" ? "being connected" : state == "over" ? "has ended" : state;
}

std::string losses_of(const ordered_json& source) {
    const auto dropped = source.value("dropped", uint64_t{0});
    return dropped == 0 ? "" : fmt::format(", {} datagrams lost", dropped);
}

// Servers of other versions say nothing of them.
std::string sources(const ordered_json& status) {
    std::string text;
    if (const auto found = status.find("sources"); found != status.end())
        for (const ordered_json& source : *found)
            text += fmt::format("source   {}: {}\n",
                as_one_line(source.at("source").get<std::string>()),
                as_one_line(standing_of(source) + losses_of(source)));
    return text;
}

// Likewise. Nothing where bytes are relayed as they come.
std::string framing(const ordered_json& status) {
    const auto found = status.find("framing");
    if (found == status.end() || found->is_null())
        return "";
    return fmt::format(
        "lines    whole, of at most {} bytes\n", found->at("line_max").get<uint64_t>());
}

// Likewise. Nothing where no room of several hosts is joined.
std::string room(const ordered_json& status) {
    const auto found = status.find("room");
    if (found == status.end() || found->is_null())
        return "";
    const ordered_json& room = *found;
    const auto trouble = room.at("trouble").get<std::string>();
    const auto since_ms = room.at("since_ms").get<uint64_t>();
    const auto bridge = room.at("bridge").get<int64_t>();
    return fmt::format("room     {}: {}{}{}, {} other hosts; {} of what users sent wait ({})\n",
        as_one_line(room.at("name").get<std::string>()),
        as_one_line(room.at("link").get<std::string>()),
        since_ms == 0 ? "" : " since " + time_text(since_ms),
        trouble.empty() ? "" : " (" + as_one_line(trouble) + ")", room.at("others").get<uint64_t>(),
        bytes_text(number(room, "waiting")),
        bridge == 0 ? "the bridge is being started" : fmt::format("bridge: pid {}", bridge));
}

std::string head(const ordered_json& status, uint64_t now_ms) {
    const auto started_ms = status.at("started_ms").get<uint64_t>();
    const auto pid = status.at("pid").get<int64_t>();
    const auto master = status.at("master").get<int64_t>();
    std::string text = fmt::format(
        "chatserv {}, pid {}", as_one_line(status.at("version").get<std::string>()), pid);
    if (master != pid)
        text += fmt::format(" (master {})", master);
    text += fmt::format(", up {}\n", duration_text(now_ms > started_ms ? now_ms - started_ms : 0));
    text += fmt::format("listens  {}{}\n", listeners(status),
        status.at("accepting").get<bool>() ? "" : "; accepts no user now");
    text += sources(status);
    text += metrics(status);
    text += room(status);
    text += fmt::format("users    {} of {}\n", status.at("users").get<uint64_t>(),
        status.at("users_max").get<uint64_t>());
    text += fmt::format("in       {}, {} in all\n", rate(status, "in_rate"),
        bytes_text(number(status, "bytes_in")));
    text += fmt::format("out      {}, {} in all\n", rate(status, "out_rate"),
        bytes_text(number(status, "bytes_out")));
    text += framing(status);
    text += fmt::format("log      {}\n", log_text(status.at("log")));
    return text;
}

std::string slowest(const ordered_json& status) {
    const ordered_json& users = status.at("slowest");
    if (users.empty())
        return "\nno user is behind\n";
    std::string text = fmt::format("\n{:>6}  {:>11}  {}\n", "slot", "backlog", "address");
    for (const ordered_json& user : users)
        text += fmt::format("{:>6}  {:>11}  {}\n", user.at("slot").get<uint32_t>(),
            bytes_text(number(user, "backlog")),
            as_one_line(user.at("address").get<std::string>()));
    return text;
}

std::string takeover_text(const ordered_json& worker) {
    const ordered_json& last = worker.at("last_takeover");
    if (last.is_null())
        return "none";
    return fmt::format("{}, {:.2f} ms ({} in all)", time_text(last.at("at_ms")),
        number(last, "milliseconds"), worker.at("takeovers").get<uint32_t>());
}

std::string workers(const ordered_json& status) {
    std::string text = fmt::format("\n{:>6}  {:>8}  {:>6}  {:>6}  {:<14}  {}\n", "worker", "pid",
        "users", "load", "state", "last takeover");
    for (const ordered_json& worker : status.at("workers"))
        text += fmt::format("{:>6}  {:>8}  {:>6}  {:>4.0f} %  {:<14}  {}\n",
            worker.at("worker").get<uint32_t>(), worker.at("pid").get<int64_t>(),
            worker.at("users").get<uint32_t>(), 100 * number(worker, "awake"),
            worker.at("drained").get<bool>() ? "drained"
                                             : as_one_line(worker.at("state").get<std::string>()),
            takeover_text(worker));
    return text;
}

template <typename Write>
std::string written(const ControlClient& server, Write write) {
    try {
        return write();
    } catch (const nlohmann::json::exception& failure) {
        throw Failure(EX_UNAVAILABLE,
            fmt::format("the server at {} sent a status that this version does not understand: {}",
                server.path(), failure.what()));
    }
}

} // namespace

std::string status_screen(
    const ControlClient& server, const ordered_json& status, uint64_t now_ms) {
    return written(
        server, [&] { return head(status, now_ms) + slowest(status) + workers(status); });
}

std::string status_head(const ControlClient& server, const ordered_json& status, uint64_t now_ms) {
    return written(server, [&] { return head(status, now_ms); });
}

} // namespace chatserv
