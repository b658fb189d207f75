#include "tests/crash/torture.h"

#include "tests/harness/endpoint.h"
#include "tests/oracle/streams_complete.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>

namespace chatserv::test {

namespace {

// No client is refused: clients that left keep their slots while their worker is stopped.
constexpr const char* slots = "1000";

constexpr std::uint64_t stream_bytes_per_strike =
    20'000; // of each resident, which sends until the end

ServerOptions server_options(const TortureOptions& options, const std::string& control,
    bool two_families, std::mt19937_64& random) {
    const auto pick = [&](std::initializer_list<const char*> all) {
        return std::string(all.begin()[random() % all.size()]);
    };
    return {.listen = {"127.0.0.1:0", two_families ? "[::1]:0" : "127.0.0.1:0"},
        .more = {"--workers", options.drains ? pick({"2", "3", "4"}) : pick({"1", "2", "2", "4"}),
            "--spares", pick({"0", "1", "4"}), "--control",
            options.drains || options.any_process ? control : "none", "--log-size",
            pick({"64K", "64K", "256K", "4M"}), "--users", slots, "--stall-limit", "600",
            "--hang-limit", "0.3"},
        .environment = {{"CHATSERV_TEST_RENEWALS_IN", std::to_string(options.renewals_in)},
            {"CHATSERV_TEST_FAULT", options.fault}},
        .binary = options.binary,
        .placement = pick({"even", "even", "load"})};
}

void spin_for(std::chrono::microseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

} // namespace

Torture::Torture(Loop& loop, std::uint64_t seed, const TortureOptions& options) :
    loop_(loop), random_(seed), options_(options), code_(seed), two_families_(has_ipv6()),
    server_(std::make_unique<Server>(loop,
        server_options(options, folder_.path().string() + "/control", two_families_, random_))),
    control_(loop, folder_.path().string() + "/control"),
    any_(random_, options.stops,
        options.fault == "copied table" ? Descriptors::copied : Descriptors::shared) {
    if (options.any_process && !server_->process().adopt_orphans())
        throw std::runtime_error("the orphans of a dead keeper can not be adopted");
}

std::vector<std::string> Torture::run() {
    while (people_.size() < residents)
        invite(people_.size() % 3 == 0);
    loop_.wait_until(
        [&] {
            observe();
            return joined_.size() == residents;
        },
        "the residents to join");
    while (killed() + stopped() < options_.strikes) {
        observe();
        if (someone_was_cut())
            return violations();
        everyone_speaks((killed() + stopped() + 1) * stream_bytes_per_strike);
        if (options_.visitors)
            visitors_come_and_go();
        if (options_.drains && random_() % 2 == 0)
            drain();
        if (random_() % (options_.drains ? 40 : 4) == 0 && !someone_waits_long())
            strike();
        loop_.turn(std::chrono::milliseconds(random_() % 2));
    }
    send_stream_ends();
    if (someone_was_cut())
        return violations();
    std::vector<std::string> found;
    if (options_.any_process)
        found = check_books();
    if (options_.drains)
        moved_ = count_moves();
    const std::vector<std::string> noticed = violations();
    found.insert(found.end(), noticed.begin(), noticed.end());
    if (const int status = server_->stop(); status != 0)
        found.push_back("the server ended with status " + std::to_string(status));
    if (!server_->process().group_is_gone())
        found.emplace_back("the server has left processes behind");
    if (!std::filesystem::is_empty(folder_.path()))
        found.emplace_back("the server has left its control socket behind");
    if (options_.renewals_in != 0)
        renewed_ = count_renewals();
    return found;
}

// The others may wait for the bytes of such a client for ever, and it for theirs.
bool Torture::someone_was_cut() const {
    return std::any_of(people_.begin(), people_.end(), [](const Person& person) {
        return (person.client->ended() && !person.leaving) || is_overdue(person);
    });
}

// It was accepted, by the kernel or by the server, and no worker serves it.
bool Torture::is_overdue(const Person& person) {
    return !person.joined && std::chrono::steady_clock::now() > person.invited + patience / 2;
}

// On a busy machine masters that are struck one after another get to no work: then there are no
// strikes for a while. A client that was lost is not served in that while either.
bool Torture::someone_waits_long() const {
    return std::any_of(people_.begin(), people_.end(), [](const Person& person) {
        return !person.joined && std::chrono::steady_clock::now() > person.invited + patience / 30;
    });
}

// The first few have a stream of their own, all others listen.
void Torture::invite(bool slow) {
    Person person;
    person.session.name = "client " + std::to_string(people_.size());
    if (people_.size() < senders_max)
        person.session.sender = static_cast<unsigned>(people_.size());
    person.client =
        std::make_unique<Client>(loop_, server_->endpoint(people_.size() % 2), slow ? 8192 : 0);
    joined_.erase(person.client->address()); // of an earlier client, whose port this one has
    people_.push_back(std::move(person));
}

void Torture::speak(Person& person, std::uint64_t bytes) {
    person.client->send(code_.bytes(*person.session.sender, person.queued_bytes, bytes));
    person.queued_bytes += bytes;
}

void Torture::everyone_speaks(std::uint64_t stream_bytes_max) {
    for (Person& person : people_) {
        const bool may = person.session.sender && person.joined && !person.leaving;
        if (may && person.client->is_sent() && person.queued_bytes < stream_bytes_max)
            speak(person, std::uint64_t{1} << random_() % 16);
    }
    Client& slow = *people_[random_() % residents].client;
    slow.is_paused() ? slow.resume() : slow.pause();
}

void Torture::visitors_come_and_go() {
    const auto present = static_cast<std::size_t>(std::count_if(people_.begin() + residents,
        people_.end(), [](const Person& visitor) { return !visitor.gone; }));
    if (present < visitors_at_once && random_() % 8 == 0)
        invite(random_() % 4 == 0);
    for (std::size_t i = residents; i < people_.size(); ++i)
        if (people_[i].joined && !people_[i].leaving && random_() % 16 == 0)
            begin_to_leave(people_[i]);
}

void Torture::begin_to_leave(Person& visitor) {
    visitor.leaving = true;
    switch (random_() % 4) {
    case 0:
        visitor.session.ending = Ending::cut;
        visitor.client->reset();
        visitor.gone = true;
        break;
    case 1:
        visitor.session.ending = Ending::cut;
        visitor.client->close();
        visitor.gone = true;
        break;
    default:
        visitor.session.ending = Ending::half_closed;
        visitor.session.delivered_before_eof = delivered();
        visitor.client->half_close();
    }
}

void Torture::strike() {
    spin_for(std::chrono::microseconds(random_() % 300));
    if (options_.any_process)
        return any_.strike(server_->process().pid());
    const bool stop = options_.stops && random_() % 40 == 0;
    striker_.strike(workers_, stop ? Strike::stop : Strike::kill, 10, random_);
}

// Some requests are refused. At most half of the workers are drained, so that clients have places
// to go to.
void Torture::drain() {
    const std::size_t worker = random_() % workers_.size() + 1;
    if (drained_.contains(worker)) {
        if (random_() % 4 != 0)
            return;
        drained_.erase(worker);
        control_.ask("drain-end " + std::to_string(worker));
    } else if (drained_.size() < workers_.size() / 2) {
        drained_.insert(worker);
        control_.ask("drain " + std::to_string(worker));
    }
}

void Torture::observe() {
    for (; log_lines_seen_ < server_->log().size(); ++log_lines_seen_) {
        const std::string& line = server_->log()[log_lines_seen_];
        if (const auto started = parse_worker_started(line)) {
            workers_.resize(std::max(workers_.size(), static_cast<std::size_t>(started->worker)));
            workers_[static_cast<std::size_t>(started->worker) - 1] = started->pid;
        } else if (const auto joined = parse_joined(line)) {
            joined_.insert(joined->address);
        }
    }
    if (options_.any_process)
        server_->process().reap_orphans();
    PerSender sent{};
    for (const Person& person : people_)
        if (person.session.sender)
            sent[*person.session.sender] = person.client->sent_bytes();
    for (Person& person : people_) {
        person.tally.take(person.client->received());
        // A master that is killed before it says that a client joined leaves that unsaid.
        if (!person.joined &&
            (joined_.contains(person.client->address()) || !person.client->received().empty())) {
            person.joined = true;
            person.session.sent_when_joined = sent;
        }
        if (person.client->ended()) // by itself or, which is a violation, by the server
            person.gone = true;
    }
}

std::vector<PerSender> Torture::delivered() const {
    std::vector<PerSender> all;
    for (const Person& person : people_)
        all.push_back(person.tally.counts);
    return all;
}

// When the visitors have left, the residents send the ends of their streams and wait for each
// other's.
void Torture::send_stream_ends() {
    const auto all_visitors_are_gone = [&] {
        observe();
        for (std::size_t i = residents; i < people_.size(); ++i)
            if (people_[i].joined && !people_[i].leaving)
                begin_to_leave(people_[i]);
        return std::all_of(people_.begin() + residents, people_.end(),
            [](const Person& visitor) { return visitor.gone; });
    };
    for (Person& person : people_)
        person.client->resume();
    loop_.wait_until(
        [&] { return someone_was_cut() || all_visitors_are_gone(); }, "the visitors to leave");
    for (unsigned i = 0; i < residents; ++i)
        speak(people_[i], stream_end_bytes_min);
    loop_.wait_until(
        [&] {
            observe();
            return someone_was_cut() ||
                   streams_complete(people_.begin(), people_.begin() + residents, code_);
        },
        "the residents to have everything");
}

} // namespace chatserv::test
