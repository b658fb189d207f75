// One scene of a soak: a crowd that does everything to a server that clients do, all at once, until
// all have left again.
//
// Residents send from beginning to end, at times in floods, and so do the sources of the server.
// Visitors, more than there are places, connect to all kinds of doors, send or only read, and leave
// in one of the usual ways. Some stop reading, some read too slowly. Others connect and reset at
// once. Workers are killed, stopped and drained meanwhile. A user of the UNIX socket may be in
// doubt when its worker dies, and then is disconnected.
#pragma once

#include "tests/harness/server.h"
#include "tests/harness/striker.h"
#include "tests/integration/control_connection.h"
#include "tests/oracle/transcript.h"
#include "tests/soak/client_history.h"
#include "tests/soak/person.h"
#include "tests/soak/server_config.h"
#include "tests/soak/soak_doors.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace chatserv::test {

struct SceneOptions {
    std::uint64_t seed = 0;
    std::uint64_t actions = 0;
    std::uint64_t bursts = 0;              // that are let in, when all but the residents have left
    std::uint64_t actions_per_strike = 12; // on the average; 0: no strikes
};

// The number of times that each thing was done.
struct SceneCounts {
    std::uint64_t sent_bytes = 0;
    std::uint64_t stays = 0;
    std::uint64_t refused = 0;
    std::uint64_t resets = 0;
    std::uint64_t half_closes = 0;
    std::uint64_t closes = 0;
    std::uint64_t stalls = 0;  // disconnected by the server
    std::uint64_t excused = 0; // of them, readers that this process kept from reading
    std::uint64_t in_bursts = 0;
    std::uint64_t killed = 0;
    std::uint64_t stopped = 0;
    std::uint64_t drained = 0;  // requests, of which some are refused
    std::uint64_t in_doubt = 0; // users of the UNIX socket
    std::map<Door, std::uint64_t> visits{};

    SceneCounts& operator+=(const SceneCounts& other);
};

class Scene {
public:
    // What the scene is played on. `control`: by which workers are drained.
    struct Stage {
        Loop& loop;
        Server& server;
        SoakDoors& doors;
        ControlConnection& control;
        ClientHistory& history;
        const ServerConfig& config;
    };
    Scene(const Stage& stage, const SceneOptions& options);

    // Returns everything that a client could have noticed or that does not agree with the log.
    [[nodiscard]] std::vector<std::string> run();

    [[nodiscard]] const SceneCounts& counts() const { return counts_; }

private:
    using Part = Person::Part;
    using LeaveBy = Person::LeaveBy;

    // scene.cpp: its course
    void act();
    void observe();
    void observe(Person& person, const PerSender& sent);
    [[nodiscard]] bool all_others_are_gone();
    [[nodiscard]] std::string who_is_there() const;
    [[nodiscard]] bool has_all_stream_ends(const Person& reader) const;
    void send_stream_ends();
    void residents_leave();

    // scene_actions.cpp: clients join, send and leave
    void invite(Part part);
    [[nodiscard]] Door door_for(Part part);
    void someone_comes();
    void speak(Person& person, std::uint64_t bytes);
    void everyone_speaks();
    [[nodiscard]] bool may_speak() const;
    [[nodiscard]] std::uint64_t missing_bytes(const Person& reader) const;
    void trickle();
    void someone_leaves();
    void begin_to_leave(Person& person, LeaveBy how);
    void come_and_go_at_once();
    void many_are_let_in();
    void strike();
    void drain();
    void end_drains();
    [[nodiscard]] std::vector<PerSender> delivered() const;

    // scene_check.cpp: the checks at the end
    [[nodiscard]] std::vector<std::string> flaws();
    void check(const Person& person, std::vector<std::string>& flaws);
    [[nodiscard]] bool is_right_reason(const Person& person) const;
    [[nodiscard]] Ending ending_of(const Person& person) const;

    static constexpr std::size_t residents = 6;

    Loop& loop_;
    Server& server_;
    SoakDoors& doors_;
    ControlConnection& control_;
    ClientHistory& history_;
    const ServerConfig& config_;
    SceneOptions options_;
    std::mt19937_64 random_;
    StreamCode code_;
    std::deque<Person> people_{}; // residents first, then the sources
    std::size_t standing_;        // these
    SceneCounts counts_{};
    Striker striker_{};
    std::set<std::uint64_t> drained_{}; // numbers of workers
    std::uint64_t strangers_before_;
    std::uint64_t stream_bytes_max_ = 0; // of each resident, so far
    std::chrono::steady_clock::time_point observed_{};
    std::size_t crowd_max_;   // some scenes have room for more, in others some are turned away
    bool was_absent_ = false; // for long enough that our reader may have been taken for stalled
};

} // namespace chatserv::test
