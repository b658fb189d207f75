#include "master/control/control_desk.h"

#include "master/control/striking.h"
#include "shared/system/logging.h"
#include "shared/system/version.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv {

namespace {

using nlohmann::ordered_json;

ordered_json described(const UpgradeReport& report) {
    if (report.failed)
        return {{"event", "upgrade_failed"}, {"number", report.number}, {"reason", report.reason}};
    return {{"event", "upgraded"}, {"number", report.number}, {"from", report.from},
        {"to", report.to}, {"milliseconds", report.milliseconds},
        {"newcomers_waited_ms", report.newcomers_waited_ms},
        {"users_waited_ms", report.users_waited_ms}, {"workers", report.workers}};
}

ordered_json described(const std::vector<OptionChange>& changes) {
    ordered_json all = ordered_json::array();
    for (const OptionChange& change : changes)
        all.push_back({{"option", change.option}, {"from", change.from}, {"to", change.to}});
    return all;
}

ordered_json described(const ReloadReport& report) {
    return report.failure.empty()
               ? ordered_json{{"event", "reloaded"}, {"number", report.number},
                     {"changed", described(report.changed)}, {"kept", described(report.kept)}}
               : ordered_json{{"event", "reload_failed"}, {"number", report.number},
                     {"reason", report.failure}, {"exit_status", report.exit_status}};
}

// An error of the system may be in no known encoding.
std::string text_of(const ordered_json& object) {
    return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

const char* step_of(UpgradeState state) {
    switch (state) {
    case UpgradeState::none:
        return "none";
    case UpgradeState::trying:
        return "trying";
    case UpgradeState::replacing:
        return "replacing";
    case UpgradeState::handing_over:
    case UpgradeState::proving:
    case UpgradeState::returning:
        break;
    }
    return "handing_over";
}

} // namespace

ControlDesk::ControlDesk(EventQueue& events, Tag tag, ControlSocket* socket, Subjects subjects) :
    subjects_(std::move(subjects)) {
    if (socket != nullptr)
        connections_.emplace(events, tag, *socket, [this] { return greeting(); });
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

void ControlDesk::tell(const FinishedBridge& finished) {
    if (connections_)
        connections_->tell(ordered_json{{"event", "bridge_taken_over"}, {"pid", finished.pid},
            {"milliseconds", finished.milliseconds}}
                               .dump());
}

void ControlDesk::tell(const UpgradeReport& report) {
    if (connections_)
        connections_->tell(described(report).dump());
}

void ControlDesk::tell(const ReloadReport& report) {
    if (connections_)
        connections_->tell(text_of(described(report)));
}

void ControlDesk::tell_events() {
    const KeptEvents kept = take_kept_events();
    if (!connections_)
        return;
    for (const std::string& line : kept.lines)
        connections_->tell_watchers(line);
    if (kept.lost > 0)
        connections_->cut_watchers_off();
    keep_events(connections_->has_watchers());
}

std::string ControlDesk::greeting() const {
    std::vector<std::string> addresses;
    for (const Listener& listener : subjects_.acceptor.listeners())
        addresses.push_back(listener.door());
    const Escrow& escrow = subjects_.clients.escrow();
    return ordered_json{{"event", "hello"}, {"pid", subjects_.server}, {"master", ::getpid()},
        {"listen", addresses}, {"users", escrow.held()}, {"users_max", escrow.users_max()},
        {"workers", subjects_.pool.roll().workers()}, {"bridge", subjects_.bridge.wanted()},
        {"hang_limit_ms", subjects_.hang_limit.count()}}
        .dump();
}

std::string ControlDesk::answer(const ControlConnections::Request& request) {
    switch (request.kind) {
    case ControlConnections::Request::Kind::stats:
        return statistics();
    case ControlConnections::Request::Kind::status:
        return overview_.status();
    case ControlConnections::Request::Kind::users:
        return overview_.users(request.slot);
    case ControlConnections::Request::Kind::drain:
        return drain(request.worker);
    case ControlConnections::Request::Kind::end_drain:
        return end_drain(request.worker);
    case ControlConnections::Request::Kind::upgrade:
        return upgrade();
    case ControlConnections::Request::Kind::upgrade_status:
        return upgrade_status();
    case ControlConnections::Request::Kind::reload:
        return reload();
    case ControlConnections::Request::Kind::reload_status:
        return reload_status();
    case ControlConnections::Request::Kind::kick:
        return kick(request.user);
    case ControlConnections::Request::Kind::events:
        keep_events(true); // from the answer on: this turn may have others to tell of
        return ordered_json{{"event", "watching"}}.dump();
    case ControlConnections::Request::Kind::kill:
    case ControlConnections::Request::Kind::stop:
        break;
    }
    return strike(subjects_, request);
}

std::string ControlDesk::statistics() const {
    const Escrow& escrow = subjects_.clients.escrow();
    ordered_json object{{"event", "stats"}, {"pid", subjects_.server}, {"master", ::getpid()},
        {"users", escrow.held()}, {"users_max", escrow.users_max()}};
    subjects_.clients.counters().add_to(object);
    for (const Role role : all_roles)
        object["roles"][std::string(name_of(role))] = escrow.clients_with(role);
    object["accepting"] = subjects_.acceptor.accepting();
    object["drained"] = subjects_.draining.workers();
    object["in_use"] = subjects_.balancer.width();
    object["load"] = ordered_json::array();
    for (uint32_t index = 0; index < subjects_.pool.roll().size(); ++index) {
        const EntryId entry{index};
        if (!subjects_.pool.roll().is_present(entry))
            continue;
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

std::string ControlDesk::upgrade() {
    if (const auto why_not = subjects_.upgrading.begin(subjects_.why_no_upgrade()))
        return refusal(*why_not);
    return ordered_json{{"event", "upgrading"}, {"number", subjects_.upgrading.number()},
        {"from", program_version()}, {"program", subjects_.upgrading.program()}}
        .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string ControlDesk::upgrade_status() const {
    if (const auto last = subjects_.upgrading.last())
        return described(*last).dump();
    return ordered_json{{"event", "upgrade_status"}, {"number", subjects_.upgrading.number()},
        {"step", step_of(subjects_.upgrading.state())}}
        .dump();
}

std::string ControlDesk::reload() const {
    if (const std::string why_not = subjects_.ask_for_reload(); !why_not.empty())
        return refusal(why_not);
    return ordered_json{{"event", "reloading"}, {"number", subjects_.reloads.begun()}}.dump();
}

// Of a reload that a dead master has not put in force, nothing is known any more but that it ended.
std::string ControlDesk::reload_status() const {
    const ReloadBook& reloads = subjects_.reloads;
    const uint32_t ended = reloads.ended();
    ordered_json said{{"event", "reload_status"}, {"ended", ended}};
    if (reloads.last() && reloads.last()->number == ended && ended != 0)
        said = described(*reloads.last());
    said["begun"] = reloads.begun();
    return text_of(said);
}

// As many as an answer holds; the others are kicked as soon as they are asked for.
std::string ControlDesk::kick(const UserChoice& choice) {
    const std::vector<ClientId> meant = users_meant(choice, subjects_.ledger);
    if (meant.empty())
        return refusal("there is no such user");
    ordered_json users = ordered_json::array();
    for (const ClientId client : meant) {
        if (users.size() == users_in_answer_max)
            break;
        subjects_.kicking.kick(client);
        users.push_back({{"slot", index_of(client.slot)}, {"generation", client.generation}});
    }
    const bool all = users.size() == meant.size();
    return ordered_json{{"event", "kicking"}, {"users", std::move(users)}, {"all", all}}.dump();
}

} // namespace chatserv
