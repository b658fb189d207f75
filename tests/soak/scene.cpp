// A scene's course, from the first client that joins to the last one that leaves.
#include "tests/soak/scene.h"

#include "tests/harness/seed.h"
#include "tests/oracle/streams_complete.h"

#include <algorithm>

namespace chatserv::test {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t stream_bytes_per_action = 800; // of each resident, on the average

} // namespace

SceneCounts& SceneCounts::operator+=(const SceneCounts& other) {
    sent_bytes += other.sent_bytes;
    stays += other.stays;
    refused += other.refused;
    resets += other.resets;
    half_closes += other.half_closes;
    closes += other.closes;
    stalls += other.stalls;
    excused += other.excused;
    in_bursts += other.in_bursts;
    killed += other.killed;
    stopped += other.stopped;
    drained += other.drained;
    return *this;
}

Scene::Scene(Loop& loop, Server& server, ControlConnection& control, ClientHistory& history,
    const ServerConfig& config, const SceneOptions& options) :
    loop_(loop),
    server_(server), control_(control), history_(history), config_(config), options_(options),
    random_(options.seed), code_(mixed(options.seed)), strangers_before_(history.strangers()),
    crowd_max_(random_() % 2 == 0 ? config.users + 3 : config.users - 3) {}

std::vector<std::string> Scene::run() {
    while (people_.size() < residents)
        invite(Role::resident);
    observed_ = Clock::now();
    loop_.wait_until(
        [&] {
            observe();
            return std::all_of(people_.begin(), people_.end(),
                [](const Person& resident) { return resident.joined; });
        },
        "the residents to join");
    for (std::uint64_t action = 0; action < options_.actions; ++action) {
        stream_bytes_max_ += stream_bytes_per_action;
        act();
    }
    end_drains();
    loop_.wait_until([&] { return all_others_are_gone(); }, "the others to leave");
    many_are_let_in();
    send_stream_ends();
    std::vector<std::string> found = flaws();
    residents_leave();
    for (const Person& person : people_)
        check(person, found);
    return found;
}

void Scene::act() {
    observe();
    everyone_speaks();
    trickle();
    if (random_() % 4 == 0)
        someone_comes();
    if (random_() % 3 == 0)
        someone_leaves();
    if (random_() % 16 == 0)
        come_and_go_at_once();
    if (options_.actions_per_strike != 0 && random_() % options_.actions_per_strike == 0)
        strike();
    if (options_.actions_per_strike != 0 && random_() % 4 == 0)
        drain();
    loop_.turn(std::chrono::milliseconds(random_() % 2));
}

void Scene::observe() {
    history_.read();
    const Clock::time_point now = Clock::now();
    const std::chrono::duration<double> absence = now - observed_;
    was_absent_ = was_absent_ || absence.count() > config_.stall_limit_seconds / 4;
    observed_ = now;
    PerSender sent{};
    for (const Person& person : people_)
        if (person.session.sender)
            sent[*person.session.sender] = person.client->sent_bytes();
    for (Person& person : people_)
        if (!person.gone)
            observe(person, sent);
}

void Scene::observe(Person& person, const PerSender& sent) {
    person.tally.take(person.client->received());
    if (!person.joined && person.stay->verdict == Stay::Verdict::joined) {
        person.joined = true;
        person.session.sent_when_joined = sent;
        if (person.role == Role::stalled || person.role == Role::trickling)
            person.client->pause();
    }
    if (person.stay->reason) // it may not have noticed, and still has bytes to read
        person.client->resume();
    person.gone = person.client->ended() && person.stay->verdict != Stay::Verdict::none;
}

// A stalled client leaves when the server disconnects it: for that, another client has to keep
// sending.
bool Scene::all_others_are_gone() {
    observe();
    bool anybody = false;
    bool anybody_stalls = false;
    for (Person& person : people_) {
        if (person.role == Role::resident || person.gone)
            continue;
        anybody = true;
        if (person.role == Role::stalled && !person.stay->reason)
            anybody_stalls = true;
        if (!person.joined || person.leaves != LeaveBy::none || person.role == Role::stalled)
            continue;
        person.client->resume();
        begin_to_leave(person, LeaveBy::half_close);
    }
    Person& speaker = people_.front();
    if (anybody_stalls && speaker.talks() && speaker.client->is_sent() && may_speak())
        speak(speaker, 4096);
    return !anybody;
}

// The residents send the ends of their streams and wait for each other's.
void Scene::send_stream_ends() {
    for (std::size_t i = 0; i < residents; ++i)
        if (people_[i].talks())
            speak(people_[i], stream_end_bytes_min);
    loop_.wait_until(
        [&] {
            observe();
            return streams_complete(people_.begin(), people_.begin() + residents, code_);
        },
        "the residents to have everything");
}

void Scene::residents_leave() {
    for (std::size_t i = 0; i < residents; ++i)
        if (!people_[i].client->ended())
            begin_to_leave(people_[i], LeaveBy::half_close);
    loop_.wait_until(
        [&] {
            observe();
            return std::all_of(people_.begin(), people_.end(), [](const Person& person) {
                return person.gone && (!person.joined || person.stay->reason.has_value());
            });
        },
        "the log to say why each of them has left");
}

} // namespace chatserv::test
