#include "tests/soak/person.h"

#include <utility>

namespace chatserv::test {

Person::Person(
    Part part_wanted, Door door_wanted, std::shared_ptr<Client> connected, std::string name) :
    part(part_wanted),
    door(door_wanted), client(std::move(connected)),
    slow(part == Part::stalled || part == Part::trickling) {
    session.name = std::move(name);
    session.hears = door != Door::speak;
    session.heard = door != Door::listen && door != Door::resume;
}

Person::Person(const StandingSource& source) :
    part(Part::source), client(source.client), stay(source.stay), joined(true) {
    session.name = source.name;
    session.hears = source.hears;
    if (!client)
        return;
    client->forget_received();
    sent_before = client->sent_bytes();
}

std::string Person::received() const {
    return client ? client->received().substr(behind_answer_) : "";
}

bool Person::take_received() {
    if (!client)
        return true;
    const std::string& all = client->received();
    if (door == Door::resume && behind_answer_ == 0) {
        behind_answer_ = all.find('\n') + 1;
        if (behind_answer_ == 0)
            return false;
        tally.bytes = behind_answer_;
    }
    tally.take(all);
    return true;
}

std::string Person::text() const {
    return session.name + " of part " + std::to_string(static_cast<int>(part)) + " at door " +
           std::to_string(static_cast<int>(door)) + (joined ? ", joined" : ", not joined") +
           (slow ? ", slow" : "") + ", leaves by " + std::to_string(static_cast<int>(leaves)) +
           ", in the log: " + (stay->reason ? *stay->reason : "there") + ", received " +
           std::to_string(received().size()) + ", to send " +
           (client && !client->is_sent() ? "some" : "nothing");
}

Person::LeaveBy Person::polite_leave() const {
    return session.heard ? LeaveBy::half_close : LeaveBy::reset;
}

} // namespace chatserv::test
