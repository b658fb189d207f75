// What the members have noticed of a torture of all doors, and what the server has counted.
#include "tests/crash/doors_torture.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace chatserv::test {

// A user that left is counted when the master learns of it.
std::vector<std::string> DoorsTorture::check_books() {
    const auto present = static_cast<std::uint64_t>(
        std::ranges::count_if(members_, [](const Member& member) { return !member.gone(); }));
    nlohmann::json said;
    loop_.wait_until(
        [&] {
            said = nlohmann::json::parse(control_.statistics());
            return said.at("users") == present;
        },
        "the last visitors to be counted");
    std::vector<std::string> found;
    const auto expect = [&](const std::string& what, std::uint64_t is, std::uint64_t due) {
        if (is != due)
            found.push_back("the books say " + std::to_string(is) + " " + what + ", not " +
                            std::to_string(due));
    };
    expect("accepted", said.at("accepted"), connections_);
    expect("in doubt", said.at("left").at("in_doubt"), in_doubt_);
    if (in_doubt_ > struck())
        found.push_back("more users were in doubt than processes have died");
    return found;
}

std::vector<std::string> DoorsTorture::violations() const {
    std::vector<std::string> found;
    Transcript transcript{code_, {}};
    for (const Member& member : members_) {
        if (member.ended() && !member.gone())
            found.push_back(member.name() + " was disconnected");
        if (!member.gone() && member.is_overdue(patience / 2))
            found.push_back(member.name() + " was not served");
        for (const std::string& flaw : member.reader().violations())
            found.push_back(member.name() + ": " + flaw);
        transcript.sessions.insert(
            transcript.sessions.end(), member.former().begin(), member.former().end());
        transcript.sessions.push_back(member.finished());
    }
    const std::vector<std::string> flaws = violations_in(transcript);
    found.insert(found.end(), flaws.begin(), flaws.end());
    return found;
}

} // namespace chatserv::test
