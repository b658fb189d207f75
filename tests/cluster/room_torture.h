// One round of torture of a room: position-coded streams run between people on three hosts, while
// processes of the hosts and servers of NATS die or stop at random instants: bridges, workers,
// masters, keepers, and one of the three servers of NATS at a time. Visitors come and leave, and
// one host more joins in the midst of it.
#pragma once

#include "tests/cluster/crowd.h"
#include "tests/cluster/room.h"
#include "tests/crash/household_striker.h"
#include "tests/harness/striker.h"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace chatserv::test {

struct RoomTortureOptions {
    enum class Nats : std::uint8_t {
        followers, // those that do not lead the room's stream die
        any,       // any of them dies
    };
    std::string room = "hall";
    std::string binary{}; // empty: the usual build
    std::uint64_t strikes = 60;
    bool households = true; // workers, masters and keepers are struck as well
    bool stops = true;      // some processes are stopped, not killed
    Nats nats = Nats::followers;
};

class RoomTorture {
public:
    // The servers of NATS run, and do so again after the round.
    RoomTorture(
        Loop& loop, NatsCluster& nats, std::uint64_t seed, const RoomTortureOptions& options);

    // Runs the round to the hosts' ends. Returns everything that a client could have noticed:
    // nothing for correct servers, except that a host may end by name where a leader has died
    // (ended()).
    [[nodiscard]] std::vector<std::string> run();

    [[nodiscard]] std::uint64_t struck() const;
    [[nodiscard]] std::uint64_t bridges() const { return bridges_.killed() + bridges_.stopped(); }
    [[nodiscard]] std::uint64_t servers() const { return servers_; }
    [[nodiscard]] std::uint64_t leaders() const { return leaders_; }
    // The hosts whose room has ended, as they say it.
    [[nodiscard]] const std::vector<std::string>& ended() const { return ended_; }

private:
    [[nodiscard]] static RoomOptions room_options(
        const RoomTortureOptions& options, std::mt19937_64& random);
    void talk();
    [[nodiscard]] bool has_progressed(std::size_t host);
    void strike(std::size_t host);
    void strike_bridge(std::size_t host);
    void strike_nats();
    void revive_nats();
    void note_ends(std::vector<std::string>& found);

    Loop& loop_;
    NatsCluster& nats_;
    std::mt19937_64 random_;
    RoomTortureOptions options_;
    Room room_;
    Crowd crowd_;
    Striker bridges_{};
    std::vector<std::unique_ptr<HouseholdStriker>> households_; // by host
    std::map<std::size_t, std::uint64_t> received_;             // by host, when it was struck last
    NatsServer* dead_ = nullptr;
    std::uint64_t servers_ = 0;
    std::uint64_t leaders_ = 0;
    std::vector<std::string> ended_;
};

} // namespace chatserv::test
