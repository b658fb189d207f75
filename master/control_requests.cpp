// Master: what it says and does over the control socket (control.h).
#include "master/master.h"

#include <csignal>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

std::string refusal(const std::string& reason) {
    return ordered_json{{"event", "refused"}, {"reason", reason}}.dump();
}

} // namespace

void Master::start_control() {
    if (!control_socket_)
        return;
    control_.emplace(
        events_, MasterEvent::control, std::move(control_socket_), [this] { return greeting(); });
}

std::string Master::greeting() const {
    std::vector<std::string> addresses;
    for (const Listener& listener : listeners_)
        addresses.push_back(listener.address().text());
    return ordered_json{{"event", "hello"}, {"pid", ::getpid()}, {"listen", addresses},
        {"users", escrow_.held()}, {"users_max", escrow_.slots()}, {"workers", outbox_.size()},
        {"hang_limit_ms", hang_limit_.count()}}
        .dump();
}

std::string Master::answer(const Control::Request& request) {
    return request.kind == Control::Request::Kind::stats ? statistics() : strike(request);
}

std::string Master::statistics() const {
    ordered_json object{
        {"event", "stats"}, {"users", escrow_.held()}, {"users_max", escrow_.slots()}};
    counters_.add_to(object);
    object["accepting"] = phase_ == Phase::serving && !accept_pause_;
    return object.dump();
}

std::string Master::strike(const Control::Request& request) {
    const uint32_t worker = request.worker;
    if (worker < 1 || worker > outbox_.size())
        return refusal(fmt::format("there is no worker {}", worker));
    WorkerPool::Process* const process = pool_.process_of(EntryId{worker - 1});
    if (process == nullptr || !process->ended_because.empty())
        return refusal(fmt::format("worker {} is being replaced", worker));
    if (process->stopped)
        return refusal(fmt::format("worker {} is stopped, and not replaced yet", worker));
    const bool kill = request.kind == Control::Request::Kind::kill;
    if (kill)
        pool_.end(*process, "as chaos asked");
    else
        process->stopped = ::kill(process->pid, SIGSTOP) == 0; // the rest is the hang watch's
    return ordered_json{{"event", "struck"}, {"how", kill ? "kill" : "stop"}, {"worker", worker},
        {"pid", process->pid}}
        .dump();
}

void Master::tell_takeover(const Takeover& takeover, double milliseconds) {
    if (!control_)
        return;
    control_->tell(ordered_json{{"event", "taken_over"}, {"worker", number_of(takeover.entry)},
        {"pid", takeover.pid}, {"milliseconds", milliseconds}, {"cause", takeover.cause},
        {"deaths", takeover.deaths}, {"users", takeover.users},
        {"settled_bytes", takeover.settled_bytes}}
                       .dump());
}

} // namespace chatserv
