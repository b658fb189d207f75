// How clients of a scene join, send, stall and leave.
#include "tests/soak/burst.h"
#include "tests/soak/scene.h"

#include <algorithm>
#include <array>
#include <utility>

namespace chatserv::test {

namespace {

constexpr int small_buffer_bytes = 4096;
constexpr std::size_t burst_max = 200;
// A connection that comes and goes at once is told of in two lines of the log, of 200 bytes at the
// most, and the log drops lines that do not fit into its pipe of 64 KiB.
constexpr std::size_t untold_max = 300;

} // namespace

// The first clients have a stream of their own, where they are heard; all others only read. A
// client that is to stall does so once it has joined: before that it must read whether it was
// admitted.
void Scene::invite(Part part) {
    const Door door = door_for(part);
    const bool slow = part == Part::stalled || part == Part::trickling;
    const bool small = slow || people_.size() % 3 == 0;
    Person& person = people_.emplace_back(part, door,
        doors_.connect(server_, door, small ? small_buffer_bytes : 0),
        "client " + std::to_string(people_.size()));
    if (people_.size() <= senders_max && person.session.heard)
        person.session.sender = static_cast<unsigned>(people_.size() - 1);
    person.stay = history_.expect(person.client->address());
    ++counts_.visits[door];
}

// Residents hear and are heard; who is to be slow hears.
Door Scene::door_for(Part part) {
    const Door usual = people_.size() % 2 == 0 ? Door::talk : Door::other_talk;
    if (part == Part::resident || random_() % 2 == 0)
        return usual;
    if (part != Part::visitor)
        return Door::listen;
    constexpr std::array others{Door::listen, Door::speak, Door::resume, Door::local};
    return others[random_() % others.size()];
}

// More than there are places for, now and then.
void Scene::someone_comes() {
    const auto is_there = [](const Person& person) { return !person.gone; };
    const auto there =
        static_cast<std::size_t>(std::count_if(people_.begin(), people_.end(), is_there));
    if (there >= crowd_max_)
        return;
    const auto stalling = [](const Person& person) {
        return !person.gone && person.part == Part::stalled;
    };
    const auto stalled = std::count_if(people_.begin(), people_.end(), stalling);
    switch (random_() % 8) {
    case 0:
        if (stalled < 3) {
            invite(Part::stalled);
            return;
        }
        [[fallthrough]];
    case 1:
        invite(Part::trickling);
        return;
    default:
        invite(Part::visitor);
    }
}

void Scene::speak(Person& person, std::uint64_t bytes) {
    const std::string text = code_.bytes(*person.session.sender, person.queued_bytes, bytes);
    person.client ? person.client->send(text) : doors_.append_to_file(text);
    person.queued_bytes += bytes;
    counts_.sent_bytes += bytes;
}

// In pieces of all sizes; at times a client sends more at once than there is room for.
void Scene::everyone_speaks() {
    for (Person& person : people_) {
        if (!person.is_ready_to_speak() || !may_speak())
            continue;
        const bool flood = random_() % 256 == 0;
        if (flood && config_.waits && person.part == Part::resident)
            speak(person, 1U << 18U);
        else if (person.queued_bytes < stream_bytes_max_)
            speak(person, std::uint64_t{1} << random_() % 14);
    }
}

// If the server waits for no reader, clients send no faster than all of them receive each other's
// text, but for those that are slow on purpose: if the log filled up while one of them was reading,
// it would be disconnected. A small receive buffer makes a reader that never pauses slow enough for
// that.
bool Scene::may_speak() const {
    if (config_.waits)
        return true;
    return std::none_of(people_.begin(), people_.end(), [this](const Person& reader) {
        return reader.joined && reader.session.hears && !reader.slow && !reader.gone &&
               !reader.ended() && missing_bytes(reader) >= config_.log_bytes / 8;
    });
}

// What the others have sent since this reader is known to have joined and what it has not read. It
// may also have read what was sent a little earlier.
std::uint64_t Scene::missing_bytes(const Person& reader) const {
    std::uint64_t missing = 0;
    for (const Person& person : people_) {
        if (!person.talks() || &person == &reader)
            continue;
        const unsigned sender = *person.session.sender;
        const std::uint64_t read =
            reader.session.sent_when_joined[sender] + reader.tally.counts[sender];
        const std::uint64_t sent = person.sent_bytes();
        missing += sent - std::min(sent, read);
    }
    return missing;
}

// A trickling client reads a little at times; in the end it reads everything, if it is still
// connected.
void Scene::trickle() {
    for (Person& person : people_) {
        if (person.part != Part::trickling || !person.joined || person.stay->reason)
            continue;
        if (random_() % 300 == 0)
            person.part = Part::visitor;
        random_() % 8 == 0 || person.part == Part::visitor ? person.client->resume()
                                                           : person.client->pause();
    }
}

void Scene::someone_leaves() {
    Person& person = people_[random_() % people_.size()];
    if (person.part != Part::visitor || !person.joined || person.gone ||
        person.leaves != LeaveBy::none)
        return;
    if (person.talks() && random_() % 2 == 0) // the stream may be cut off in the middle of this
        speak(person, random_() % 4096);
    switch (random_() % 5) {
    case 0:
    case 1:
        begin_to_leave(person, person.door == Door::local ? LeaveBy::close : LeaveBy::reset);
        break;
    case 2:
        begin_to_leave(person, person.session.heard ? LeaveBy::close : LeaveBy::reset);
        break;
    default:
        begin_to_leave(person, person.polite_leave());
    }
}

void Scene::begin_to_leave(Person& person, LeaveBy how) {
    (void)person.take_received();
    person.leaves = how;
    switch (how) {
    case LeaveBy::reset:
        person.client->reset();
        person.gone = true;
        ++counts_.resets;
        break;
    case LeaveBy::close:
        person.client->close();
        person.gone = true;
        ++counts_.closes;
        break;
    default:
        person.session.delivered_before_eof = delivered();
        person.client->half_close();
        ++counts_.half_closes;
    }
}

// Few enough that all fit into the listen queue, whenever the server accepts, and what the log says
// of them into its pipe, whenever it is read.
void Scene::come_and_go_at_once() {
    const std::uint64_t untold = counts_.in_bursts - (history_.strangers() - strangers_before_);
    if (untold + burst_max > untold_max)
        return;
    const BurstKind kind = random_() % 2 == 0 ? BurstKind::together : BurstKind::one_by_one;
    constexpr std::array doors{Door::talk, Door::listen, Door::speak, Door::resume};
    const Door door = doors[random_() % doors.size()];
    counts_.in_bursts +=
        burst(server_.endpoint(static_cast<std::size_t>(door)), 1 + random_() % burst_max, kind);
}

// While only the residents and sources are connected, there is room for each burst.
void Scene::many_are_let_in() {
    const auto in_books = [&] {
        observe();
        return history_.strangers() - strangers_before_ == counts_.in_bursts;
    };
    const auto nobody_else = [&] {
        return in_books() && history_.joined() - history_.left() <= standing_;
    };
    for (std::uint64_t round = 0; round < options_.bursts; ++round) {
        loop_.wait_until(nobody_else, "the last burst to be over");
        const BurstKind kind = random_() % 2 == 0 ? BurstKind::together : BurstKind::one_by_one;
        counts_.in_bursts += burst(server_.endpoint(0), config_.users - standing_, kind);
        if (options_.actions_per_strike != 0 && random_() % (5 * options_.actions_per_strike) == 0)
            strike();
    }
    loop_.wait_until(nobody_else, "the last burst to be over");
}

void Scene::strike() {
    const bool stop = random_() % 40 == 0;
    striker_.strike(history_.workers(), stop ? Strike::stop : Strike::kill, 8, random_);
    counts_.killed = striker_.killed();
    counts_.stopped = striker_.stopped();
}

// At most half of the workers are drained, so that clients have places to go to.
void Scene::drain() {
    const std::uint64_t worker = random_() % config_.workers + 1;
    if (drained_.erase(worker) > 0) {
        control_.ask("drain-end " + std::to_string(worker) + "\n");
    } else if (drained_.size() < config_.workers / 2) {
        drained_.insert(worker);
        control_.ask("drain " + std::to_string(worker) + "\n");
        ++counts_.drained;
    }
}

void Scene::end_drains() {
    for (const std::uint64_t worker : std::exchange(drained_, {}))
        control_.ask("drain-end " + std::to_string(worker) + "\n");
}

std::vector<PerSender> Scene::delivered() const {
    std::vector<PerSender> all;
    for (const Person& person : people_)
        all.push_back(person.tally.counts);
    return all;
}

} // namespace chatserv::test
