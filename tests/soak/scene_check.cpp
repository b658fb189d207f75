// Checks what each client received, and what the log records of its departure.
#include "tests/soak/scene.h"

#include <algorithm>

namespace chatserv::test {

namespace {

bool is_disconnection(const std::string& reason) {
    return reason == "stalled" || reason == "fell_behind";
}

bool was_cut(const std::string& reason) {
    return is_disconnection(reason) || reason == "in_doubt";
}

} // namespace

std::vector<std::string> Scene::flaws() {
    std::vector<std::string> found;
    Transcript transcript{code_, {}};
    for (Person& person : people_) {
        Session& session = person.session;
        if (person.stay->verdict == Stay::Verdict::turned_away) {
            ++counts_.refused;
            const Client& client = *person.client;
            if (client.received() != "too many users!\n" || client.end_error() != 0)
                found.push_back("R1: " + session.name + " was turned away with " +
                                std::to_string(client.received().size()) + " bytes, error " +
                                std::to_string(client.end_error()));
            continue;
        }
        counts_.stays += person.part == Part::source ? 0 : 1;
        session.sent = session.sender ? person.sent_bytes() : 0;
        session.received = person.received();
        session.ending = ending_of(person);
        transcript.sessions.push_back(session);
    }
    // A refused client has delivered nothing and has no session.
    const auto turned_away = [&](std::size_t person) {
        return people_[person].stay->verdict == Stay::Verdict::turned_away;
    };
    for (Session& session : transcript.sessions) {
        session.delivered_before.resize(transcript.sessions.size());
        std::vector<PerSender> of_sessions;
        for (std::size_t person = 0; person < session.delivered_before_eof.size(); ++person)
            if (!turned_away(person))
                of_sessions.push_back(session.delivered_before_eof[person]);
        session.delivered_before_eof = std::move(of_sessions);
    }
    const std::vector<std::string> violations = violations_in(transcript);
    found.insert(found.end(), violations.begin(), violations.end());
    return found;
}

// A client that the server disconnected has a prefix of what it was due, without gaps.
Ending Scene::ending_of(const Person& person) const {
    const bool disconnected = person.stay->reason && was_cut(*person.stay->reason);
    if (person.leaves == LeaveBy::half_close && !disconnected)
        return Ending::half_closed;
    return person.ended() || person.leaves != LeaveBy::none ? Ending::cut : Ending::stayed;
}

void Scene::check(const Person& person, std::vector<std::string>& flaws) {
    if (person.stay->verdict == Stay::Verdict::turned_away)
        return;
    if (person.part == Part::source) {
        if (person.ended() || person.stay->reason)
            flaws.push_back(person.session.name + " was disconnected");
        return;
    }
    const std::string reason = person.stay->reason.value_or("nothing at all");
    if (!is_right_reason(person))
        flaws.push_back(person.session.name + " left in way " +
                        std::to_string(static_cast<int>(person.leaves)) + " of part " +
                        std::to_string(static_cast<int>(person.part)) +
                        ", and the log says: " + reason);
    counts_.in_doubt += reason == "in_doubt" ? 1 : 0;
    if (!is_disconnection(reason))
        return;
    ++counts_.stalls;
    counts_.excused += person.slow ? 0 : 1;
}

// Accepts everything that TCP permits. close(2) sends a FIN if everything was read, otherwise a
// reset. The kernel reports a reset once: if the worker dies before it has noted that, its
// successor finds a connection at its end.
bool Scene::is_right_reason(const Person& person) const {
    const std::string& reason = person.stay->reason.value_or("");
    if (is_disconnection(reason)) {
        const bool by_policy = reason == "stalled" || !config_.waits;
        return by_policy && (person.slow || was_absent_);
    }
    if (reason == "in_doubt")
        return person.stay->may_be_in_doubt && person.stay->worker_died;
    switch (person.leaves) {
    case LeaveBy::half_close:
        return reason == "end_of_file" && person.client->end_error() == 0;
    case LeaveBy::close:
        return reason == "end_of_file" || reason == "reset";
    case LeaveBy::reset:
        return reason == "reset" || (reason == "end_of_file" && person.stay->worker_died);
    case LeaveBy::none:
        break; // only the server ends it
    }
    return false;
}

} // namespace chatserv::test
