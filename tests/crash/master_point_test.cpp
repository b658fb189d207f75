// Every master point by name, with real processes: the master is killed at exactly that instant,
// and a successor finishes what it had begun. Every client receives what it would have received
// otherwise, byte for byte, and the counters are exact.
#include "tests/crash/master_point_scene.h"

#include <array>
#include <csignal>

namespace chatserv::test {
namespace {

// What happens while the point is armed.
enum class Scene { join, announce, leave, refuse, lose_worker, lose_master, flood, drain, stop };

struct MasterCase {
    MasterPoint point;
    const char* name;
    Scene scene;
};

constexpr std::array cases{
    MasterCase{MasterPoint::accepted, "MW1Accepted", Scene::join},
    MasterCase{MasterPoint::newcomer_noted, "MW2NewcomerNoted", Scene::join},
    MasterCase{MasterPoint::newcomer_ready, "MW2NewcomerReady", Scene::join},
    MasterCase{MasterPoint::accepted, "MW1AcceptedOneTooMany", Scene::refuse},
    MasterCase{MasterPoint::newcomer_ready, "MW2OneTooManyReady", Scene::refuse},
    MasterCase{MasterPoint::redo_torn, "MW3RedoTorn", Scene::join},
    MasterCase{MasterPoint::redo_written, "MW3RedoWritten", Scene::join},
    MasterCase{MasterPoint::redo_committed, "MW4RedoCommitted", Scene::join},
    MasterCase{MasterPoint::slot_described, "MW4SlotDescribed", Scene::join},
    MasterCase{MasterPoint::slot_assigned, "MW4SlotAssigned", Scene::join},
    MasterCase{MasterPoint::client_noted, "MW4ClientNoted", Scene::join},
    MasterCase{MasterPoint::newcomer_forgotten, "MW4NewcomerForgotten", Scene::join},
    MasterCase{MasterPoint::counted, "MW4Counted", Scene::join},
    MasterCase{MasterPoint::redo_applied, "MW4RedoApplied", Scene::join},
    MasterCase{MasterPoint::redo_retired, "MW5AssignedAndUnsaid", Scene::join},
    MasterCase{MasterPoint::redo_committed, "MW6RedoCommitted", Scene::refuse},
    MasterCase{MasterPoint::lingering_noted, "MW6LingeringNoted", Scene::refuse},
    MasterCase{MasterPoint::redo_retired, "MW6LineUnsent", Scene::refuse},
    MasterCase{MasterPoint::line_sent, "MW6LineSent", Scene::refuse},
    MasterCase{MasterPoint::line_noted, "MW6LineNoted", Scene::refuse},
    MasterCase{MasterPoint::line_finished, "MW6LineFinished", Scene::refuse},
    MasterCase{MasterPoint::lingering_closed, "MW6LingeringClosed", Scene::refuse},
    MasterCase{MasterPoint::redo_committed, "MW7RedoCommitted", Scene::leave},
    MasterCase{MasterPoint::slot_freed, "MW7SlotFreed", Scene::leave},
    MasterCase{MasterPoint::connection_shut, "MW7ConnectionShut", Scene::leave},
    MasterCase{MasterPoint::connection_closed, "MW7ConnectionClosed", Scene::leave},
    MasterCase{MasterPoint::client_forgotten, "MW7ClientForgotten", Scene::leave},
    MasterCase{MasterPoint::redo_retired, "MW7LeftUnsaid", Scene::leave},
    MasterCase{MasterPoint::slot_given, "SlotGiven", Scene::drain},
    MasterCase{MasterPoint::client_marked, "ClientMarked", Scene::flood},
    MasterCase{MasterPoint::rendezvous_noted, "MW8RendezvousNoted", Scene::lose_worker},
    MasterCase{MasterPoint::seat_noted, "MW8SeatNoted", Scene::lose_worker},
    MasterCase{MasterPoint::worker_forked, "MW8WorkerForked", Scene::lose_worker},
    MasterCase{MasterPoint::exit_noted, "MW9ExitNoted", Scene::lose_worker},
    MasterCase{MasterPoint::exit_reaped, "MW9ExitReaped", Scene::lose_worker},
    MasterCase{MasterPoint::entry_recovered, "MW9EntryRecovered", Scene::lose_worker},
    MasterCase{MasterPoint::entry_given, "MW10EntryGiven", Scene::lose_worker},
    MasterCase{MasterPoint::channel_made, "MW11ChannelMade", Scene::lose_master},
    MasterCase{MasterPoint::channel_offered, "MW11ChannelOffered", Scene::lose_master},
    MasterCase{MasterPoint::stop_taken, "MW12StopTaken", Scene::stop},
    MasterCase{MasterPoint::listeners_closed, "MW12ListenersClosed", Scene::stop},
    MasterCase{MasterPoint::stop_told, "MW12StopTold", Scene::stop},
    MasterCase{MasterPoint::dismissed, "MW12Dismissed", Scene::stop},
    MasterCase{MasterPoint::sweep_begun, "MW14SweepBegun", Scene::lose_master},
    MasterCase{MasterPoint::swept, "MW14Swept", Scene::lose_master},
    MasterCase{MasterPoint::accepted, "MW1AcceptedFromAProxy", Scene::announce},
    MasterCase{MasterPoint::newcomer_ready, "MW2ReadyFromAProxy", Scene::announce},
    MasterCase{MasterPoint::header_noted, "MW17HeaderNoted", Scene::announce},
    MasterCase{MasterPoint::header_read, "MW17HeaderRead", Scene::announce},
    MasterCase{MasterPoint::header_taken, "MW17HeaderTaken", Scene::announce},
    MasterCase{MasterPoint::redo_committed, "MW17Admitting", Scene::announce},
};

// newcomer_closed is reached only where a stop finds a newcomer that waits; tests/unit/deaths/ has
// it. Those of reloads are in reload_point_test.cpp.
constexpr bool every_point_has_a_case() {
    for (unsigned point = 0; point < static_cast<unsigned>(MasterPoint::reload_asked); ++point) {
        bool found = static_cast<MasterPoint>(point) == MasterPoint::newcomer_closed;
        for (const MasterCase& candidate : cases)
            found = found || static_cast<unsigned>(candidate.point) == point;
        if (!found)
            return false;
    }
    return true;
}
static_assert(every_point_has_a_case(), "a master point has no test: add it to `cases`");

class MasterPointTest : public MasterPointScene, public testing::WithParamInterface<MasterCase> {
protected:
    void act(Scene scene);
};

void MasterPointTest::act(Scene scene) {
    switch (scene) {
    case Scene::join:
        people_.push_back({std::make_unique<Client>(loop_, server_->endpoint())});
        ++joined_;
        say(people_.size() - 1, "a newcomer speaks;");
        break;
    case Scene::announce:
        people_.push_back({std::make_unique<Client>(loop_, server_->endpoint(1))});
        ++joined_;
        people_.back().client->send("PROXY TCP4 203.0.113.7 192.0.2.1 4711 9999\r\n");
        say(people_.size() - 1, "a newcomer speaks;");
        break;
    case Scene::leave:
        people_[0].client->send("0 says goodbye;");
        people_[0].client->half_close();
        people_[0].client->wait_for_end();
        EXPECT_EQ(people_[0].client->end_error(), 0);
        ++gone_;
        everyone_but(0, "0 says goodbye;");
        break;
    case Scene::refuse: {
        Client refused(loop_, server_->endpoint());
        refused.wait_for_end();
        EXPECT_EQ(refused.end_error(), 0);
        EXPECT_EQ(refused.received(), "too many users!\n");
        ++refused_;
        break;
    }
    case Scene::lose_worker:
        ::kill(server_->worker_pids().front(), SIGKILL);
        break;
    case Scene::lose_master:
        ::kill(server_->master_pid(), SIGKILL);
        break;
    case Scene::flood:
        send_too_fast(0);
        ++throttled_;
        break;
    case Scene::drain: // its master dies, so the command may hear of no end
        (void)run(loop_, {{chatserv_path(), "drain", "1", "--control", control()}});
        break;
    case Scene::stop:
        server_->process().signal(SIGTERM);
        break;
    }
}

INSTANTIATE_TEST_SUITE_P(Windows, MasterPointTest, testing::ValuesIn(cases),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(MasterPointTest, ASuccessorFinishesIt) {
    const auto [point, name, scene] = GetParam();
    std::vector<std::string> options;
    if (scene == Scene::flood)
        options = {"--max-rate", std::to_string(max_rate_bytes)};
    if (scene == Scene::refuse)
        options = {"--users", "4"};
    if (scene == Scene::announce) {
        listen_.emplace_back("proxy:127.0.0.1:0");
        options = {"--proxy-trust", "127.0.0.1"};
    }
    open(build_named("CHATSERV_WITH_CRASH_POINTS"), options);
    arm_master(point);
    act(scene);
    wait_for_death(point);
    if (scene != Scene::stop) {
        everyone_speaks("after");
        expect_exact_books();
        return stop();
    }
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
    for (std::size_t i = 0; i < people_.size(); ++i) {
        EXPECT_EQ(people_[i].client->end_error(), 0);
        EXPECT_EQ(people_[i].client->received(), people_[i].expected) << "user " << i;
    }
}

} // namespace
} // namespace chatserv::test
