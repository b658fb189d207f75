#include "tests/bridge/segment_host.h"

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <unistd.h>

namespace chatserv::test {

namespace {

// Whom the bridge becomes, if it may: somebody who owns nothing.
uid_t user() {
    constexpr uid_t nobody = 65534;
    return ::geteuid() == 0 ? nobody : ::geteuid();
}

// A pipe that holds this, and ends.
UniqueFd pipe_with(const std::string& text) {
    FdPair pipe = make_pipe();
    if (::write(pipe.second.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw std::runtime_error("the settings do not fit into a pipe");
    return std::move(pipe.first);
}

nlohmann::json with_defaults(nlohmann::json settings) {
    const nlohmann::json defaults{{"room", "hall"}, {"replicas", 1}, {"storage", "file"},
        {"bytes", 256 * 1024 * 1024}, {"credentials", ""}, {"ca", ""}, {"certificate", ""},
        {"key", ""}, {"hang_limit_ms", 2000}};
    for (const auto& [key, value] : defaults.items())
        if (!settings.contains(key))
            settings[key] = value;
    return settings;
}

} // namespace

std::string bridge_program() {
    const char* const path = std::getenv("CHATSERV_BRIDGE");
    if (path == nullptr)
        throw std::runtime_error("CHATSERV_BRIDGE does not say where the program is");
    return path;
}

SegmentHost::SegmentHost(Loop& loop, nlohmann::json settings) :
    loop_(loop), settings_(with_defaults(std::move(settings))), bell_(loop, joined_.worker_bell),
    lifeline_(make_stream_pair()) {}

void SegmentHost::start_bridge() {
    if (bridge_)
        throw std::runtime_error("a bridge runs already");
    const UniqueFd settings = pipe_with(settings_.dump());
    const std::vector<int> descriptors{lifeline_.second.get(), joined_.segment.fd(),
        joined_.pipes[2].first.get(), settings.get(), joined_.pipes[0].second.get(),
        joined_.pipes[1].second.get()};
    // By their numbers in the program: from 3 on.
    bridge_ = std::make_unique<Process>(
        loop_, Command{.arguments = {bridge_program(), "debug", "text", std::to_string(user()),
                           std::to_string(user()), "3", "4", "5", "7,8", "6"},
                   .descriptors = descriptors});
}

void SegmentHost::kill_bridge() {
    bridge_->signal(SIGKILL);
    (void)end_of_bridge();
}

int SegmentHost::end_of_bridge() {
    const int status = bridge_->wait_for_exit();
    former_logs_ += bridge_->errors().text();
    bridge_.reset();
    joined_.repair_bridge();
    return status;
}

std::string SegmentHost::log() const {
    return former_logs_ + (bridge_ ? bridge_->errors().text() : "");
}

// As a worker: it announces its sleep, looks once more, and is woken by the bell.
void SegmentHost::turn() {
    if (bridge_ && bridge_->exited())
        throw std::runtime_error("the bridge has ended: " + log());
    joined_.worker_bell.announce_sleep(
        wake_on_growth | wake_on_room | wake_on_unlock | wake_on_counted);
    unsaid_.erase(0, joined_.say(unsaid_));
    if (!stalls_)
        heard_ += joined_.hear();
}

void run_until(Loop& loop, const std::vector<SegmentHost*>& hosts,
    const std::function<bool()>& condition, std::string_view what) {
    const auto turn_and_look = [&] {
        for (SegmentHost* const host : hosts)
            host->turn();
        return condition();
    };
    try {
        loop.wait_until(turn_and_look, what);
    } catch (const std::runtime_error& failure) {
        std::string message = failure.what();
        for (const SegmentHost* const host : hosts)
            message += "\n" + host->log();
        throw std::runtime_error(message);
    }
}

} // namespace chatserv::test
