#include "master/control/control_client.h"

#include "shared/segment/served_clock.h"
#include "shared/system/failure.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr size_t answer_bytes_max = 64 * 1024;
constexpr const char* not_a_chatserv = "is not a chatserv";

} // namespace

ControlClient::ControlClient(std::string path, UniqueFd socket) :
    path_(std::move(path)), socket_(std::move(socket)) {
    std::signal(SIGPIPE, SIG_IGN); // write(2) reports the error too
}

void ControlClient::fail(const char* what) const {
    throw Failure(EX_UNAVAILABLE, fmt::format("the server at {} {}", path_, what));
}

void ControlClient::fail_turned_away(const std::string& reason) const {
    fail(("turns this client away: " + reason).c_str());
}

void ControlClient::fail_closed() const {
    throw ConnectionClosed(
        EX_UNAVAILABLE, fmt::format("the server at {} closed the connection", path_));
}

void ControlClient::ask(const std::string& request) {
    const std::string line = request + "\n";
    const ssize_t sent = ::write(socket_.get(), line.data(), line.size());
    if (sent == static_cast<ssize_t>(line.size()))
        return;
    const bool full = sent >= 0 || errno == EAGAIN || errno == EWOULDBLOCK;
    if (full)
        fail("does not read requests");
    fail_closed();
}

void ControlClient::read() {
    char bytes[4096];
    const ssize_t got = ::read(socket_.get(), bytes, sizeof bytes);
    if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0)
        fail_closed();
    input_.append(bytes, static_cast<size_t>(got));
    if (input_.size() > answer_bytes_max && input_.find('\n') == std::string::npos)
        fail(not_a_chatserv);
}

std::optional<ControlClient::Message> ControlClient::next() {
    const size_t end = input_.find('\n');
    if (end == std::string::npos)
        return std::nullopt;
    Message message{.event = {}, .line = input_.substr(0, end)};
    input_.erase(0, end + 1);
    const auto said = nlohmann::json::parse(message.line, nullptr, false);
    if (!said.is_object() || !said.contains("event") || !said["event"].is_string())
        fail(not_a_chatserv);
    message.event = said["event"];
    if (message.event == "turned_away")
        fail_turned_away(said.value("reason", ""));
    return message;
}

// If the whole machine stands still, the server does too. That time does not count against it.
std::optional<ControlClient::Message> ControlClient::wait_for_any(
    std::initializer_list<std::string_view> events, std::chrono::milliseconds limit) {
    ServedRecord record{};
    ServedClock clock(record, ServedClock::allowance_for(patience));
    const ServedClock::time_point end = clock.now() + limit;
    for (;;) {
        while (auto message = next())
            if (std::find(events.begin(), events.end(), message->event) != events.end())
                return message;
        const ServedClock::duration left = end - clock.now();
        if (left <= ServedClock::duration::zero())
            return std::nullopt;
        const auto sleep = std::chrono::ceil<std::chrono::milliseconds>(
            std::min(left, ServedClock::sleep_max(patience)));
        clock.about_to_sleep(sleep);
        pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, static_cast<int>(sleep.count())) > 0)
            read();
    }
}

std::string ControlClient::wait_for(std::string_view event, std::chrono::milliseconds limit) {
    auto message = wait_for_any({event}, limit);
    if (!message)
        give_up();
    return std::move(message->line);
}

// A server of another version may send fewer members.
Greeting ControlClient::greeting_of(const std::string& line) const {
    try {
        const auto said = nlohmann::json::parse(line);
        const pid_t pid = said.at("pid");
        return {.pid = pid,
            .master = said.value("master", pid),
            .listen = said.value("listen", std::vector<std::string>()),
            .users = said.value("users", 0U),
            .users_max = said.value("users_max", 0U),
            .bridge = said.value("bridge", false),
            .workers = said.at("workers"),
            .hang_limit = std::chrono::milliseconds(said.at("hang_limit_ms").get<int64_t>())};
    } catch (const nlohmann::json::exception&) {
        fail(not_a_chatserv);
    }
}

} // namespace chatserv
