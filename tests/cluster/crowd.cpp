#include "tests/cluster/crowd.h"

#include <algorithm>
#include <chrono>

namespace chatserv::test {

using std::chrono::steady_clock;

Crowd::Crowd(Loop& loop, Room& room, std::uint64_t seed) : loop_(loop), room_(room), code_(seed) {}

bool Crowd::lives(const Person& person) const {
    return !room_.is_over(person.host);
}

void Crowd::invite(std::size_t host, bool slow) {
    observe();
    Person person{.host = host, .slow = slow};
    person.session.name =
        "client " + std::to_string(people_.size()) + " on host " + std::to_string(host);
    if (people_.size() < senders_max)
        person.session.sender = static_cast<unsigned>(people_.size());
    person.session.delivered_before = delivered_on(host);
    person.client = std::make_unique<Client>(loop_, room_.host(host).endpoint(), slow ? 8192 : 0);
    joined_[host].erase(person.client->address()); // of an earlier one, whose port this one has
    people_.push_back(std::move(person));
}

void Crowd::wait_until_joined() {
    loop_.wait_until(
        [&] {
            observe();
            return std::ranges::all_of(
                people_, [](const Person& person) { return person.joined || person.gone; });
        },
        "all who were invited to join");
}

void Crowd::send(Person& person, std::uint64_t bytes) {
    person.client->send(code_.bytes(*person.session.sender, person.queued_bytes, bytes));
    person.queued_bytes += bytes;
}

void Crowd::speak(std::uint64_t stream_bytes_max, std::mt19937_64& random) {
    for (Person& person : people_) {
        const bool may = person.session.sender && person.joined && !person.leaving;
        if (may && person.client->is_sent() && person.queued_bytes < stream_bytes_max)
            send(person, std::min(bytes_at_once_max, std::uint64_t{1} << random() % 15));
    }
}

std::size_t Crowd::staying_on(std::size_t host) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        people_, [host](const Person& person) { return person.host == host && !person.leaving; }));
}

bool Crowd::has_queued(std::uint64_t stream_bytes) const {
    return std::ranges::all_of(people_, [&](const Person& person) {
        return !person.session.sender || person.leaving || !lives(person) ||
               (person.queued_bytes >= stream_bytes && person.client->is_sent());
    });
}

std::size_t Crowd::present() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        people_, [](const Person& person) { return !person.leaving && !person.gone; }));
}

void Crowd::half_close(std::size_t at) {
    observe();
    Person& person = people_[at];
    person.leaving = true;
    person.session.ending = Ending::half_closed;
    person.session.delivered_before_eof = delivered_on(person.host);
    person.client->half_close();
}

void Crowd::somebody_leaves(std::size_t stay, std::mt19937_64& random) {
    if (people_.size() <= stay)
        return;
    const std::size_t at = stay + random() % (people_.size() - stay);
    Person& person = people_[at];
    if (!person.joined || person.leaving)
        return;
    if (const auto how = random() % 4; how < 2) {
        person.leaving = person.gone = true;
        person.session.ending = Ending::cut;
        how == 0 ? person.client->reset() : person.client->close();
    } else {
        person.client->resume();
        half_close(at);
    }
}

void Crowd::pause_or_resume(std::mt19937_64& random) {
    Person& person = people_[random() % people_.size()];
    if (person.slow && !person.leaving)
        person.client->is_paused() ? person.client->resume() : person.client->pause();
}

void Crowd::note_joins() {
    lines_seen_.resize(room_.size());
    joined_.resize(room_.size());
    for (std::size_t host = 0; host < room_.size(); ++host) {
        const std::vector<std::string>& log = room_.host(host).log();
        for (; lines_seen_[host] < log.size(); ++lines_seen_[host])
            if (const auto joined = parse_joined(log[lines_seen_[host]]))
                joined_[host].insert(joined->address);
    }
}

void Crowd::observe() {
    note_joins();
    PerSender sent{};
    for (const Person& person : people_)
        if (person.session.sender)
            sent[*person.session.sender] = person.client->sent_bytes();
    for (Person& person : people_) {
        person.tally.take(person.client->received());
        // A master that is killed before it says that a client joined leaves that unsaid.
        if (!person.joined && (joined_[person.host].contains(person.client->address()) ||
                                  !person.client->received().empty())) {
            person.joined = true;
            person.session.sent_when_joined = sent;
        }
        if (person.client->ended())
            person.gone = true;
    }
}

bool Crowd::someone_was_cut() const {
    const auto overdue = [](const Person& person) {
        return !person.joined && steady_clock::now() > person.invited + patience / 2;
    };
    return std::ranges::any_of(people_, [&](const Person& person) {
        return lives(person) && ((person.client->ended() && !person.leaving) || overdue(person));
    });
}

// Nothing of another host is known to have been published on this one.
std::vector<PerSender> Crowd::delivered_on(std::size_t host) const {
    std::vector<PerSender> all;
    for (const Person& person : people_)
        all.push_back(person.host == host ? person.tally.counts : PerSender{});
    return all;
}

std::uint64_t Crowd::received_bytes_on(std::size_t host) const {
    std::uint64_t bytes = 0;
    for (const Person& person : people_)
        bytes += person.host == host ? person.client->received().size() : 0;
    return bytes;
}

std::uint64_t Crowd::received_bytes() const {
    std::uint64_t bytes = 0;
    for (std::size_t host = 0; host < room_.size(); ++host)
        bytes += received_bytes_on(host);
    return bytes;
}

// Those of a host that has ended are waited for by nobody, and wait for nothing.
bool Crowd::has_delivered() const {
    const auto stays = [&](const Person& person) {
        return lives(person) && !person.leaving && !person.client->ended();
    };
    return std::ranges::all_of(people_, [&](const Person& reader) {
        return !stays(reader) || std::ranges::all_of(people_, [&](const Person& writer) {
            return &reader == &writer || !stays(writer) || !writer.session.sender ||
                   reader.tally.has_stream_end(code_, *writer.session.sender, writer.queued_bytes);
        });
    });
}

void Crowd::settle() {
    for (Person& person : people_)
        person.client->resume();
    loop_.wait_until(
        [&] {
            observe();
            return someone_was_cut() || std::ranges::all_of(people_, [&](const Person& person) {
                return person.leaving ? person.gone || !lives(person)
                                      : person.joined || !lives(person);
            });
        },
        "those who leave to be gone");
    if (someone_was_cut())
        return;
    // What those who were cut off had sent is in the order before the ends of the others' streams.
    for (std::size_t host = 0; host < room_.size(); ++host)
        if (!room_.is_over(host))
            room_.wait_until_at_rest(host, staying_on(host));
    for (Person& person : people_)
        if (person.session.sender && !person.leaving)
            send(person, stream_end_bytes_min);
    loop_.wait_until(
        [&] {
            observe();
            return someone_was_cut() || has_delivered();
        },
        "all who stay to have everything");
}

std::vector<std::string> Crowd::violations() {
    std::vector<std::string> found;
    Transcript transcript{code_, {}};
    for (Person& person : people_) {
        const bool stayed = !person.leaving;
        const bool lives = this->lives(person);
        if (lives && person.client->ended() && (stayed || person.client->end_error() != 0))
            found.push_back(person.session.name + " was disconnected");
        if (lives && !person.joined)
            found.push_back(person.session.name + " was not served");
        person.session.sent = person.client->sent_bytes();
        if (lives)
            person.session.received = person.client->received();
        else
            person.session.ending = Ending::cut;
        person.session.delivered_before.resize(people_.size());
        if (!person.session.delivered_before_eof.empty())
            person.session.delivered_before_eof.resize(people_.size());
        transcript.sessions.push_back(std::move(person.session));
    }
    const std::vector<std::string> flaws = violations_in(transcript);
    found.insert(found.end(), flaws.begin(), flaws.end());
    return found;
}

} // namespace chatserv::test
