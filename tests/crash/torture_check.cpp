// What clients have noticed of a torture, and what the server has counted.
#include "tests/crash/exact_books.h"
#include "tests/crash/torture.h"

#include <nlohmann/json.hpp>

namespace chatserv::test {

// A client that left is counted when the master learns of it.
std::vector<std::string> Torture::check_books() {
    std::string said;
    const auto all_are_counted = [&] {
        said = control_.statistics();
        return nlohmann::json::parse(said).at("users") == residents;
    };
    loop_.wait_until(all_are_counted, "the last visitors to be counted");
    return flaws_in_books(said, people_.size(), residents);
}

std::uint64_t Torture::count_moves() {
    const auto said = nlohmann::json::parse(control_.statistics());
    return said.at("moved");
}

std::uint64_t Torture::count_renewals() {
    const std::string words = "channels renewed: ";
    const std::string line = server_->wait_for_line(words);
    return std::stoull(line.substr(line.find(words) + words.size()));
}

std::vector<std::string> Torture::violations() {
    std::vector<std::string> found;
    Transcript transcript{code_, {}};
    for (Person& person : people_) {
        const bool resident = !person.leaving;
        if (person.client->ended() && (resident || person.client->end_error() != 0))
            found.push_back(person.session.name + " was disconnected");
        if (is_overdue(person))
            found.push_back(person.session.name + " was not served");
        person.session.sent = person.client->sent_bytes();
        person.session.received = person.client->received();
        person.session.delivered_before.resize(people_.size());
        transcript.sessions.push_back(std::move(person.session));
    }
    std::vector<std::string> flaws = violations_in(transcript);
    found.insert(found.end(), flaws.begin(), flaws.end());
    if (const std::size_t lost = server_->count(" left: in doubt"); lost > 0)
        found.push_back(std::to_string(lost) + " users were in doubt");
    for (const char* const fault : {"broke the protocol", "did not introduce itself", "panic"})
        if (server_->count(fault) > 0)
            found.push_back(std::string("the log says: ") + fault);
    return found;
}

} // namespace chatserv::test
