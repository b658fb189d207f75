#include "tests/cluster/room_torture.h"

#include <algorithm>
#include <chrono>

namespace chatserv::test {

using Nats = RoomTortureOptions::Nats;

namespace {

constexpr std::size_t residents_of_a_host = 4;
constexpr std::size_t visitors_at_once = 3;
constexpr std::uint64_t stream_bytes_per_strike = 4'000; // of each resident

void spin_for(std::chrono::microseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
}

} // namespace

RoomOptions RoomTorture::room_options(const RoomTortureOptions& options, std::mt19937_64& random) {
    const auto pick = [&](std::initializer_list<const char*> all) {
        return std::string(all.begin()[random() % all.size()]);
    };
    return {.name = options.room,
        .more = {"--workers", pick({"1", "2", "2"}), "--spares", pick({"0", "1"}), "--log-size",
            pick({"256K", "256K", "4M"}), "--users", "1000", "--stall-limit", "600", "--hang-limit",
            "1"},
        .binary = options.binary};
}

RoomTorture::RoomTorture(
    Loop& loop, NatsCluster& nats, std::uint64_t seed, const RoomTortureOptions& options) :
    loop_(loop),
    nats_(nats), random_(seed), options_(options),
    room_(loop, nats, room_options(options, random_)), crowd_(loop, room_, seed) {
    for (std::size_t i = 0; i < room_.size(); ++i)
        households_.push_back(
            std::make_unique<HouseholdStriker>(random_, options.stops, Descriptors::shared));
}

std::uint64_t RoomTorture::struck() const {
    std::uint64_t all = bridges() + servers_;
    for (const auto& household : households_)
        all += household->killed() + household->stopped();
    return all;
}

std::vector<std::string> RoomTorture::run() {
    const std::size_t hosts = room_.size();
    for (std::size_t i = 0; i < hosts * residents_of_a_host; ++i)
        crowd_.invite(i % hosts, i % 5 == 0);
    crowd_.wait_until_joined();
    bool joined_late = false;
    while (struck() < options_.strikes && !crowd_.someone_was_cut()) {
        talk();
        if (!joined_late && struck() >= options_.strikes / 2) {
            joined_late = true;
            revive_nats();
            room_.add_host();
            crowd_.invite(room_.size() - 1);
        }
        const std::size_t host = random_() % hosts;
        if (random_() % 4 == 0 && !room_.is_over(host) &&
            (has_progressed(host) || random_() % 64 == 0))
            strike(host);
        loop_.turn(std::chrono::milliseconds(random_() % 3));
    }
    revive_nats();
    crowd_.settle();
    std::vector<std::string> found = crowd_.violations();
    note_ends(found);
    const std::vector<std::string> ends = room_.stop();
    found.insert(found.end(), ends.begin(), ends.end());
    return found;
}

void RoomTorture::talk() {
    crowd_.observe();
    crowd_.speak((struck() + 1) * stream_bytes_per_strike, random_);
    crowd_.pause_or_resume(random_);
    const std::size_t residents = households_.size() * residents_of_a_host;
    const std::size_t host = random_() % room_.size();
    if (crowd_.present() < residents + visitors_at_once && random_() % 8 == 0 &&
        !room_.is_over(host))
        crowd_.invite(host, random_() % 4 == 0);
    if (random_() % 16 == 0)
        crowd_.somebody_leaves(residents, random_);
}

// Most strikes wait until the host is at work again. Otherwise on a busy machine nothing but deaths
// would happen.
bool RoomTorture::has_progressed(std::size_t host) {
    return crowd_.received_bytes_on(host) > received_[host];
}

void RoomTorture::strike(std::size_t host) {
    received_[host] = crowd_.received_bytes_on(host);
    spin_for(std::chrono::microseconds(random_() % 300));
    const auto whom = random_() % 8;
    if (whom == 0)
        dead_ != nullptr ? revive_nats() : strike_nats();
    else if (whom < 5 || !options_.households)
        strike_bridge(host);
    else
        households_[host]->strike(room_.host(host).process().pid());
}

void RoomTorture::strike_bridge(std::size_t host) {
    const bool stop = options_.stops && random_() % 20 == 0;
    if (const std::optional<pid_t> bridge = room_.bridge_pid(host))
        bridges_.strike_all({*bridge}, stop ? Strike::stop : Strike::kill);
}

void RoomTorture::strike_nats() {
    NatsServer* const leader = nats_.leader(options_.room);
    NatsServer* const victim = &nats_.server(random_() % nats_.size());
    if (leader == nullptr || (victim == leader && options_.nats == Nats::followers))
        return;
    victim->kill();
    dead_ = victim;
    ++servers_;
    leaders_ += victim == leader ? 1U : 0U;
}

void RoomTorture::revive_nats() {
    if (dead_ != nullptr)
        nats_.start(*dead_);
    dead_ = nullptr;
}

// Where leaders die, nats-server 2.9 sometimes leaves its replicas with other messages under one
// number (ARCHITECTURE.md, "Servers that disagree"): then a host ends, and says why.
void RoomTorture::note_ends(std::vector<std::string>& found) {
    for (std::size_t host = 0; host < room_.size(); ++host) {
        if (!room_.is_over(host))
            continue;
        const std::string why = room_.reason_of_end(host);
        ended_.push_back("host " + std::to_string(host) + ": " + why);
        const bool is_known = why.find(" read") != std::string::npos;
        if (leaders_ == 0 || !is_known)
            found.push_back("host " + std::to_string(host) + " has ended its room: " + why);
    }
    if (ended_.size() == room_.size())
        found.emplace_back("no host is left");
}

} // namespace chatserv::test
