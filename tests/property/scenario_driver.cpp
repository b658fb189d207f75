#include "tests/property/scenario_driver.h"

#include <algorithm>
#include <csignal>
#include <exception>

namespace chatserv::test {

ScenarioDriver::ScenarioDriver(Loop& loop, Server& server, const Scenario& scenario, Wire wire) :
    loop_(loop), server_(server), scenario_(scenario), wire_(wire), code_(scenario.seed),
    ledger_(scenario.users), visitors_(scenario.clients.size()) {
    for (std::size_t i = 0; i < visitors_.size(); ++i) {
        visitors_[i].session.name = "client " + std::to_string(i);
        const Role role = scenario.clients[i].role;
        visitors_[i].session.hears = role != Role::speak;
        visitors_[i].session.heard = role != Role::listen;
        if (role != Role::listen)
            visitors_[i].session.sender = scenario.clients[i].sender;
        visitors_[i].writer = LineWriter(scenario.seed + i);
    }
}

void ScenarioDriver::run() {
    try {
        for (const Step& step : scenario_.steps) {
            carry_out(step);
            // Gives the server a moment, which it need not use. Any progress is right.
            for (unsigned turn = 0; turn < step.turns; ++turn)
                loop_.turn(std::chrono::milliseconds(1));
            observe();
        }
        finish();
    } catch (const std::exception& failure) {
        violations_.emplace_back(failure.what());
    }
}

void ScenarioDriver::carry_out(const Step& step) {
    if (step.action == Action::await_joins)
        return await_joins();
    Visitor& visitor = visitors_[step.client];
    if (step.action == Action::join)
        return join(visitor, scenario_.clients[step.client]);
    if (step.action == Action::resume && visitor.client)
        return visitor.client->resume();
    // A client that may still be refused must send nothing: unread bytes turn a close into a reset.
    if (visitor.state != State::present || !(visitor.slot || ledger_.has_room_for(0)))
        return;
    if (step.action == Action::send && !visitor.input_ended)
        send(visitor, *scenario_.clients[step.client].sender, step.bytes);
    else if (step.action == Action::send)
        return;
    else if (step.action == Action::pause)
        visitor.client->pause();
    else
        leave(visitor, step.action);
}

void ScenarioDriver::join(Visitor& visitor, const ClientPlan& plan) {
    // The server may serve either listener first: this client could get the last slot before one
    // that connected earlier and has acted on being certain of it.
    if (!ledger_.has_room_for(1) && anyone_relies_on_getting_in())
        return;
    if (scenario_.replay.empty())
        visitor.session.delivered_before = delivered();
    visitor.visit = ledger_.connecting();
    const std::size_t families = has_ipv6() ? 2 : 1;
    const std::size_t endpoint =
        static_cast<std::size_t>(plan.role) * families + (plan.ipv6 && has_ipv6() ? 1 : 0);
    visitor.client =
        std::make_unique<Client>(loop_, server_.endpoint(endpoint), plan.receive_buffer_bytes);
    visitor.state = State::present;
}

bool ScenarioDriver::anyone_relies_on_getting_in() const {
    return std::any_of(visitors_.begin(), visitors_.end(), [](const Visitor& visitor) {
        const bool has_acted = visitor.queued_bytes > 0 || visitor.state == State::leaving;
        return has_acted && !visitor.slot;
    });
}

void ScenarioDriver::send(Visitor& visitor, unsigned sender, std::uint64_t bytes) {
    const std::string text = code_.bytes(sender, visitor.queued_bytes, bytes);
    visitor.client->send(wire_ == Wire::lines ? visitor.writer.text_of(text) : text);
    visitor.queued_bytes += bytes;
}

std::uint64_t ScenarioDriver::sent_by(const Visitor& visitor) const {
    const std::uint64_t sent = visitor.client->sent_bytes();
    return wire_ == Wire::lines ? visitor.writer.bytes_in(sent) : sent;
}

const std::string& ScenarioDriver::received_by(Visitor& visitor) const {
    if (wire_ == Wire::bytes)
        return visitor.client->received();
    visitor.reader.take(visitor.client->received());
    return visitor.reader.bytes();
}

void ScenarioDriver::leave(Visitor& visitor, Action how) {
    if (how != Action::half_close && !visitor.slot)
        return; // a server may never see a connection that is reset before it is accepted
    if (how == Action::half_close && !visitor.session.heard) {
        visitor.input_ended = true;
        visitor.client->half_close();
        return;
    }
    visitor.state = State::leaving;
    if (how == Action::half_close) {
        visitor.session.ending = Ending::half_closed;
        visitor.session.delivered_before_eof = delivered();
        visitor.client->half_close();
        return;
    }
    visitor.session.ending = Ending::cut;
    if (how == Action::reset)
        visitor.client->reset();
    else
        visitor.client->close();
}

// A server may be unable to accept while a reader is paused (the reference writes to it and waits),
// and this step must not wait for a later one.
void ScenarioDriver::await_joins() {
    if (anyone_is_paused())
        return;
    wait_until(
        [](const Visitor& visitor) {
            return visitor.state != State::present || visitor.slot.has_value();
        },
        "every client to be admitted or turned away");
}

bool ScenarioDriver::anyone_is_paused() const {
    return std::any_of(visitors_.begin(), visitors_.end(),
        [](const Visitor& visitor) { return visitor.client && visitor.client->is_paused(); });
}

void ScenarioDriver::finish() {
    await_joins();
    wait_until(
        [](const Visitor& visitor) { return visitor.state != State::leaving || visitor.has_left; },
        "the log to record every departure");
    wait_until(
        [](const Visitor& visitor) {
            const bool reads_to_the_end = visitor.session.ending == Ending::half_closed ||
                                          visitor.state == State::turned_away;
            return !reads_to_the_end || visitor.client->ended();
        },
        "clients that half-closed or were refused to read end of file");
    exchange_stream_ends();
    stop_server();
}

// All present senders send the ends of their streams. Since clients that left are gone, these bytes
// are behind all others in the total order: a client that has every stream's end has everything.
void ScenarioDriver::exchange_stream_ends() {
    for (Visitor& visitor : visitors_) {
        if (visitor.state != State::present || !visitor.session.sender)
            continue;
        send(visitor, *visitor.session.sender, stream_end_bytes_min);
        if (wire_ == Wire::lines)
            visitor.client->send(visitor.writer.end());
    }
    wait_until(
        [this](const Visitor& reader) {
            return reader.state != State::present || !reader.session.hears ||
                   std::all_of(visitors_.begin(), visitors_.end(),
                       [&](const Visitor& writer) { return has_stream_end(reader, writer); });
        },
        "everyone to have everyone's last words");
}

bool ScenarioDriver::has_stream_end(const Visitor& reader, const Visitor& writer) const {
    if (&reader == &writer || writer.state != State::present || !writer.session.sender)
        return true;
    return reader.tally.has_stream_end(code_, *writer.session.sender, writer.queued_bytes);
}

void ScenarioDriver::stop_server() {
    stopping_ = true;
    server_.process().signal(SIGTERM);
    wait_until(
        [](const Visitor& visitor) {
            return visitor.state != State::present || visitor.client->ended();
        },
        "the server to close all connections");
    const int status = server_.process().wait_for_exit();
    observe();
    if (status != 0)
        violations_.push_back("the server ended with status " + std::to_string(status));
    for (const Visitor& visitor : visitors_) {
        if (visitor.state != State::present)
            continue;
        if (visitor.client->end_error() != 0)
            violations_.push_back(visitor.session.name + " was reset when the server stopped");
        if (!visitor.has_left)
            violations_.push_back("the log has no word of how " + visitor.session.name + " left");
    }
}

void ScenarioDriver::wait_until(
    const std::function<bool(const Visitor&)>& holds_for_all, const char* what) {
    loop_.wait_until(
        [&] {
            observe();
            return std::all_of(visitors_.begin(), visitors_.end(), holds_for_all);
        },
        what);
}

void ScenarioDriver::observe() {
    for (Visitor& visitor : visitors_) {
        if (visitor.client)
            visitor.tally.take(received_by(visitor));
    }
    while (log_lines_seen_ < server_.log().size())
        observe_log_line(server_.log()[log_lines_seen_++]);
    if (!stopping_)
        observe_disconnections();
}

void ScenarioDriver::observe_disconnections() {
    for (Visitor& visitor : visitors_) {
        if (visitor.state == State::present && visitor.slot && visitor.client->ended()) {
            violations_.push_back("R6: " + visitor.session.name + " was disconnected");
            visitor.state = State::leaving;
            visitor.session.ending = Ending::cut;
        }
    }
}

std::vector<PerSender> ScenarioDriver::delivered() const {
    std::vector<PerSender> all;
    for (const Visitor& visitor : visitors_) {
        if (visitor.slot)
            all.push_back(visitor.tally.counts);
        else
            all.emplace_back();
    }
    return all;
}

void ScenarioDriver::check_turned_away(const Visitor& visitor) {
    const Client& client = *visitor.client;
    if (client.received() != "too many users!\n" || !client.ended() || client.end_error() != 0) {
        violations_.push_back("R1: " + client.address() + " was turned away with '" +
                              client.received() + "' and errno " +
                              std::to_string(client.end_error()));
    }
}

std::vector<std::string> ScenarioDriver::violations() {
    Transcript transcript{code_, {}};
    for (Visitor& visitor : visitors_) {
        if (visitor.client && visitor.slot) {
            visitor.session.sent = sent_by(visitor);
            visitor.session.received = received_by(visitor);
            for (const std::string& violation : visitor.reader.violations())
                violations_.push_back("R2: " + visitor.session.name + ": " + violation);
        } else {
            visitor.session = {}; // keeps its place, since the others are numbered by it
            visitor.session.ending = Ending::cut;
        }
        if (visitor.state == State::turned_away)
            check_turned_away(visitor);
        transcript.sessions.push_back(visitor.session);
    }
    std::vector<std::string> all = std::move(violations_);
    for (const auto& found : {ledger_.violations(), violations_in(transcript)})
        all.insert(all.end(), found.begin(), found.end());
    return all;
}

} // namespace chatserv::test
