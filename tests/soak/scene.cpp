// A scene's course, from the first client that joins to the last one that leaves.
#include "tests/soak/scene.h"

#include "tests/harness/seed.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

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
    in_doubt += other.in_doubt;
    for (const auto& [door, count] : other.visits)
        visits[door] += count;
    return *this;
}

Scene::Scene(const Stage& stage, const SceneOptions& options) :
    loop_(stage.loop), server_(stage.server), doors_(stage.doors), control_(stage.control),
    history_(stage.history), config_(stage.config), options_(options), random_(options.seed),
    code_(mixed(options.seed)), standing_(residents + doors_.sources().size()),
    strangers_before_(history_.strangers()),
    crowd_max_(random_() % 2 == 0 ? config_.users + 3 : config_.users - 3) {}

std::vector<std::string> Scene::run() {
    while (people_.size() < residents)
        invite(Part::resident);
    for (const StandingSource& source : doors_.sources()) {
        people_.emplace_back(source);
        people_.back().session.sender = static_cast<unsigned>(people_.size() - 1);
    }
    observed_ = Clock::now();
    loop_.wait_until(
        [&] {
            observe();
            return std::all_of(
                people_.begin(), people_.end(), [](const Person& person) { return person.joined; });
        },
        "the residents to join");
    for (std::uint64_t action = 0; action < options_.actions; ++action) {
        stream_bytes_max_ += stream_bytes_per_action;
        act();
    }
    end_drains();
    try {
        loop_.wait_until([&] { return all_others_are_gone(); }, "the others to leave");
    } catch (const std::runtime_error& failure) {
        throw std::runtime_error(failure.what() + who_is_there());
    }
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
            sent[*person.session.sender] = person.sent_bytes();
    for (Person& person : people_)
        if (!person.gone)
            observe(person, sent);
}

// A reader that resumes is due what comes behind its answer.
void Scene::observe(Person& person, const PerSender& sent) {
    const bool is_answered = person.take_received();
    if (!person.joined && person.stay->verdict == Stay::Verdict::joined) {
        if (!is_answered && person.client->is_sent() && person.client->sent_bytes() == 0)
            person.client->send("resume\n");
        person.joined = is_answered;
        person.session.sent_when_joined = sent;
        if (person.joined && (person.part == Part::stalled || person.part == Part::trickling))
            person.client->pause();
    }
    if (person.part == Part::source)
        return;
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
        if (person.is_standing() || person.gone)
            continue;
        anybody = true;
        if (person.part == Part::stalled && !person.stay->reason)
            anybody_stalls = true;
        if (!person.joined || person.leaves != LeaveBy::none || person.part == Part::stalled)
            continue;
        person.client->resume();
        begin_to_leave(person, person.polite_leave());
    }
    Person& speaker = people_.front();
    if (anybody_stalls && speaker.is_ready_to_speak() && may_speak())
        speak(speaker, 4096);
    return !anybody;
}

std::string Scene::who_is_there() const {
    std::string text;
    for (const Person& person : people_)
        if (!person.gone)
            text += "; " + person.text() + ", misses " + std::to_string(missing_bytes(person));
    for (const std::string& alarm : history_.alarms())
        text += "; the log: " + alarm;
    return text;
}

// The residents and the sources send the ends of their streams and wait for each other's. After
// that nothing is under way any more.
void Scene::send_stream_ends() {
    for (std::size_t i = 0; i < standing_; ++i)
        if (people_[i].talks())
            speak(people_[i], stream_end_bytes_min);
    loop_.wait_until(
        [&] {
            observe();
            return holds_for_standing(
                [this](const Person& reader) { return has_all_stream_ends(reader); });
        },
        "the residents to have everything");
}

bool Scene::holds_for_standing(const std::function<bool(const Person&)>& condition) const {
    const auto end = people_.begin() + static_cast<std::ptrdiff_t>(standing_);
    return std::all_of(people_.begin(), end, condition);
}

bool Scene::has_all_stream_ends(const Person& reader) const {
    return !reader.session.hears || reader.ended() || holds_for_standing([&](const Person& writer) {
        return &reader == &writer || writer.ended() ||
               reader.tally.has_stream_end(code_, *writer.session.sender, writer.queued_bytes);
    });
}

void Scene::residents_leave() {
    for (std::size_t i = 0; i < residents; ++i)
        if (!people_[i].client->ended())
            begin_to_leave(people_[i], LeaveBy::half_close);
    loop_.wait_until(
        [&] {
            observe();
            return std::all_of(people_.begin(), people_.end(), [](const Person& person) {
                return person.part == Part::source ||
                       (person.gone && (!person.joined || person.stay->reason.has_value()));
            });
        },
        "the log to say why each of them has left");
}

} // namespace chatserv::test
