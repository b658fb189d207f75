#include "master/control/striking.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

bool kills(const ControlRequest& request) {
    return request.kind == ControlRequest::Kind::kill;
}

std::string strike_bridge(BridgeProcess& bridge, bool kill) {
    if (const std::string why_not = bridge.strike(kill); !why_not.empty())
        return refusal(why_not);
    return ordered_json{{"event", "struck"}, {"how", kill ? "kill" : "stop"}, {"bridge", true},
        {"pid", bridge.pid()}}
        .dump();
}

std::string strike_worker(const ControlSubjects& subjects, uint32_t worker, bool kill) {
    const EntryRoll& roll = subjects.pool.roll();
    if (worker < 1 || worker > roll.size() || !roll.is_present(EntryId{worker - 1}))
        return refusal(fmt::format("there is no worker {}", worker));
    WorkerProcess* const process = subjects.pool.process_of(EntryId{worker - 1});
    if (process == nullptr || process->ended())
        return refusal(fmt::format("worker {} is being replaced", worker));
    if (process->stopped())
        return refusal(fmt::format("worker {} is stopped, and not replaced yet", worker));
    if (kill)
        subjects.pool.end(*process, "as chaos asked");
    else
        (void)process->stop(); // the hang watch does the rest
    return ordered_json{{"event", "struck"}, {"how", kill ? "kill" : "stop"}, {"worker", worker},
        {"pid", process->pid()}}
        .dump();
}

} // namespace

std::string strike(const ControlSubjects& subjects, const ControlRequest& request) {
    return request.bridge ? strike_bridge(subjects.bridge, kills(request))
                          : strike_worker(subjects, request.worker, kills(request));
}

std::string refusal(const std::string& reason) {
    return ordered_json{{"event", "refused"}, {"reason", reason}}.dump();
}

} // namespace chatserv
