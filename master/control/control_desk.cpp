#include "master/control/control_desk.h"

#include <cmath>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

std::string refusal(const std::string& reason) {
    return ordered_json{{"event", "refused"}, {"reason", reason}}.dump();
}

} // namespace

ControlDesk::ControlDesk(
    EventQueue& events, Tag tag, std::unique_ptr<ControlSocket> socket, const Subjects& subjects) :
    subjects_(subjects) {
    if (socket)
        connections_.emplace(events, tag, std::move(socket), [this] { return greeting(); });
}

void ControlDesk::handle(const EventQueue::Event& event) {
    if (connections_)
        connections_->handle(
            event, [this](const ControlConnections::Request& request) { return answer(request); });
}

void ControlDesk::look() {
    if (connections_)
        connections_->look();
}

void ControlDesk::tell(const FinishedTakeover& finished) {
    if (!connections_)
        return;
    const Takeover& takeover = finished.takeover;
    connections_->tell(ordered_json{{"event", "taken_over"}, {"worker", number_of(takeover.entry)},
        {"pid", takeover.pid}, {"milliseconds", finished.milliseconds}, {"cause", takeover.cause},
        {"deaths", takeover.deaths}, {"users", takeover.users},
        {"settled_bytes", takeover.settled_bytes}}
                           .dump());
}

void ControlDesk::tell(const FinishedDrain& finished) {
    if (connections_)
        connections_->tell(ordered_json{{"event", "drained"}, {"worker", number_of(finished.entry)},
            {"users", finished.users}, {"milliseconds", finished.milliseconds},
            {"complete", finished.complete}}
                               .dump());
}

std::string ControlDesk::greeting() const {
    std::vector<std::string> addresses;
    for (const Listener& listener : subjects_.acceptor.listeners())
        addresses.push_back(listener.address().text());
    const Escrow& escrow = subjects_.clients.escrow();
    return ordered_json{{"event", "hello"}, {"pid", ::getpid()}, {"listen", addresses},
        {"users", escrow.held()}, {"users_max", escrow.slots()}, {"workers", subjects_.entries},
        {"hang_limit_ms", subjects_.hang_limit.count()}}
        .dump();
}

std::string ControlDesk::answer(const ControlConnections::Request& request) {
    switch (request.kind) {
    case ControlConnections::Request::Kind::stats:
        return statistics();
    case ControlConnections::Request::Kind::drain:
        return drain(request.worker);
    case ControlConnections::Request::Kind::end_drain:
        return end_drain(request.worker);
    case ControlConnections::Request::Kind::kill:
    case ControlConnections::Request::Kind::stop:
        break;
    }
    return kill_or_stop(request);
}

std::string ControlDesk::statistics() const {
    const Escrow& escrow = subjects_.clients.escrow();
    ordered_json object{
        {"event", "stats"}, {"users", escrow.held()}, {"users_max", escrow.slots()}};
    subjects_.clients.counters().add_to(object);
    object["accepting"] = subjects_.acceptor.accepting();
    object["moved"] = subjects_.moving.moved();
    object["drained"] = subjects_.draining.workers();
    object["in_use"] = subjects_.balancer.width();
    object["load"] = ordered_json::array();
    for (uint32_t index = 0; index < subjects_.entries; ++index) {
        const EntryId entry{index};
        object["load"].push_back({{"worker", number_of(entry)}, {"users", escrow.clients_of(entry)},
            {"awake", std::round(subjects_.balancer.awake_share(entry) * 1000) / 1000}});
    }
    return object.dump();
}

std::string ControlDesk::drain(uint32_t worker) {
    if (const auto why_not = subjects_.draining.begin(worker))
        return refusal(*why_not);
    return ordered_json{{"event", "draining"}, {"worker", worker},
        {"users", subjects_.clients.escrow().clients_of(EntryId{worker - 1})}}
        .dump();
}

std::string ControlDesk::end_drain(uint32_t worker) {
    if (const auto why_not = subjects_.draining.end(worker))
        return refusal(*why_not);
    return ordered_json{{"event", "drain_ended"}, {"worker", worker}}.dump();
}

std::string ControlDesk::kill_or_stop(const ControlConnections::Request& request) {
    const uint32_t worker = request.worker;
    if (worker < 1 || worker > subjects_.entries)
        return refusal(fmt::format("there is no worker {}", worker));
    WorkerProcess* const process = subjects_.pool.process_of(EntryId{worker - 1});
    if (process == nullptr || process->ended())
        return refusal(fmt::format("worker {} is being replaced", worker));
    if (process->stopped())
        return refusal(fmt::format("worker {} is stopped, and not replaced yet", worker));
    const bool kill = request.kind == ControlConnections::Request::Kind::kill;
    if (kill)
        subjects_.pool.end(*process, "as chaos asked");
    else
        (void)process->stop(); // the hang watch does the rest
    return ordered_json{{"event", "struck"}, {"how", kill ? "kill" : "stop"}, {"worker", worker},
        {"pid", process->pid()}}
        .dump();
}

} // namespace chatserv
