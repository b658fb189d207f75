// Every crash window by name. The victim is killed at exactly that instant, and every client, the
// victim's own included, receives what it would have received otherwise, byte for byte.
#include "tests/crash/crash_scene.h"

#include <algorithm>
#include <array>

namespace chatserv::test {
namespace {

// The action while the point is armed.
enum class Scene {
    talk,
    join,
    leave,
    fall_behind,
    kick,
    flood,
    move,
    renew,
    reload,
    replay,
    resume
};

struct CrashCase {
    CrashPoint point;
    const char* name;
    Scene scene;
    // Within a recovery: the instant of the death that is recovered from.
    CrashPoint first = CrashPoint::count;
    std::size_t worker = 1; // that dies first
};

constexpr std::array cases{
    CrashCase{CrashPoint::received, "W1Received", Scene::talk},
    CrashCase{CrashPoint::received, "W1ReceivedOfOneWhoLeaves", Scene::leave},
    CrashCase{CrashPoint::recorded, "W1Recorded", Scene::talk},
    CrashCase{CrashPoint::written, "W2Written", Scene::talk},
    CrashCase{CrashPoint::written, "W2WrittenToOneWhoLeaves", Scene::leave},
    CrashCase{CrashPoint::cursor_torn, "W2CursorTorn", Scene::talk},
    CrashCase{CrashPoint::cursor_moved, "W2CursorMoved", Scene::talk},
    CrashCase{CrashPoint::notice_begun, "W2NoticeBegun", Scene::flood},
    CrashCase{CrashPoint::notice_sent, "W2NoticeSent", Scene::flood},
    CrashCase{CrashPoint::notice_noted, "W2NoticeNoted", Scene::flood},
    CrashCase{CrashPoint::room_made, "W3RoomMade", Scene::talk},
    CrashCase{CrashPoint::bytes_copied, "W3BytesCopied", Scene::talk},
    CrashCase{CrashPoint::index_written, "W3IndexWritten", Scene::talk},
    CrashCase{CrashPoint::intended, "W3Intended", Scene::talk},
    CrashCase{CrashPoint::committed, "W3Committed", Scene::talk},
    CrashCase{CrashPoint::batch_noted, "W3BatchNoted", Scene::talk},
    CrashCase{CrashPoint::appended, "W3Appended", Scene::talk},
    CrashCase{CrashPoint::half_cleared, "W3HalfCleared", Scene::talk},
    CrashCase{CrashPoint::clients_received, "W4ClientsReceived", Scene::join},
    CrashCase{CrashPoint::some_attached, "W4SomeAttached", Scene::join},
    CrashCase{CrashPoint::all_attached, "W4AllAttached", Scene::join},
    CrashCase{CrashPoint::not_rung, "W5NotRung", Scene::talk},
    CrashCase{CrashPoint::end_seen, "W6EndSeen", Scene::leave},
    CrashCase{CrashPoint::closing, "W6Closing", Scene::leave},
    CrashCase{CrashPoint::left_untold, "W6LeftUntold", Scene::leave},
    CrashCase{CrashPoint::departure_noted, "W6DepartureNoted", Scene::fall_behind},
    CrashCase{CrashPoint::left_untold, "W6LeftUntoldWhenBehind", Scene::fall_behind},
    CrashCase{CrashPoint::end_seen, "W6EndSeenOfAKick", Scene::kick},
    CrashCase{CrashPoint::closing, "W6ClosingOfAKick", Scene::kick},
    CrashCase{CrashPoint::left_untold, "W6LeftUntoldOfAKick", Scene::kick},
    CrashCase{CrashPoint::letting_go, "W7LettingGo", Scene::move},
    CrashCase{CrashPoint::let_go, "W7LetGo", Scene::move},
    CrashCase{CrashPoint::untold_moves, "W7UntoldMoves", Scene::move},
    CrashCase{.point = CrashPoint::clients_received,
        .name = "W7ReceivedByTheNext",
        .scene = Scene::move,
        .worker = 2},
    CrashCase{
        .point = CrashPoint::adopting, .name = "W7Adopting", .scene = Scene::move, .worker = 2},
    CrashCase{.point = CrashPoint::some_attached,
        .name = "W7SomeAdopted",
        .scene = Scene::move,
        .worker = 2},
    CrashCase{.point = CrashPoint::all_attached,
        .name = "W7AllAdopted",
        .scene = Scene::move,
        .worker = 2},
    CrashCase{CrashPoint::adopting, "RecoveryAdoptsWhatWasLetGo", Scene::move, CrashPoint::let_go},
    CrashCase{CrashPoint::some_attached, "RecoveryHasAdoptedWhatWasLetGo", Scene::move,
        CrashPoint::untold_moves},
    CrashCase{.point = CrashPoint::adopting,
        .name = "RecoveryAdoptsWhatTheNextWorkerHadNot",
        .scene = Scene::move,
        .first = CrashPoint::clients_received,
        .worker = 2},
    CrashCase{CrashPoint::replay_index_kept, "W8IndexKept", Scene::replay},
    CrashCase{CrashPoint::replay_kept, "W8Kept", Scene::replay},
    CrashCase{CrashPoint::some_attached, "W8Attached", Scene::replay},
    CrashCase{CrashPoint::written, "W8Written", Scene::replay},
    CrashCase{
        CrashPoint::replay_kept, "RecoveryKept", Scene::replay, CrashPoint::replay_index_kept},
    CrashCase{CrashPoint::answer_noted, "W9AnswerNoted", Scene::resume},
    CrashCase{CrashPoint::answer_due, "W9AnswerDue", Scene::resume},
    CrashCase{CrashPoint::answer_sent, "W9AnswerSent", Scene::resume},
    CrashCase{CrashPoint::answer_told, "W9AnswerTold", Scene::resume},
    CrashCase{CrashPoint::all_attached, "W9Attached", Scene::resume},
    CrashCase{
        CrashPoint::doubt_asked, "RecoveryAskedOfAnAnswer", Scene::resume, CrashPoint::answer_sent},
    CrashCase{CrashPoint::doubt_settled, "RecoverySettledAnAnswer", Scene::resume,
        CrashPoint::answer_sent},
    CrashCase{CrashPoint::answer_due, "RecoveryAnswerDue", Scene::resume, CrashPoint::answer_noted},
    CrashCase{CrashPoint::channel_taken, "ChannelTaken", Scene::renew},
    CrashCase{CrashPoint::introduced, "Introduced", Scene::renew},
    CrashCase{CrashPoint::settings_taken, "SettingsTaken", Scene::reload},
    CrashCase{
        CrashPoint::settings_taken, "RecoverySettingsTaken", Scene::talk, CrashPoint::received},
    CrashCase{CrashPoint::entry_taken, "RecoveryEntryTaken", Scene::talk, CrashPoint::received},
    CrashCase{
        CrashPoint::clients_received, "RecoveryClientsReceived", Scene::talk, CrashPoint::written},
    CrashCase{CrashPoint::some_attached, "RecoverySomeAttached", Scene::talk, CrashPoint::written},
    CrashCase{CrashPoint::all_attached, "RecoveryAllAttached", Scene::talk, CrashPoint::received},
    CrashCase{CrashPoint::doubt_asked, "RecoveryAskedOfARead", Scene::talk, CrashPoint::received},
    CrashCase{CrashPoint::doubt_asked, "RecoveryAskedOfAWrite", Scene::talk, CrashPoint::written},
    CrashCase{CrashPoint::doubt_settled, "RecoverySettledARead", Scene::talk, CrashPoint::received},
    CrashCase{CrashPoint::doubt_settled, "RecoverySettledAWrite", Scene::talk, CrashPoint::written},
    CrashCase{
        CrashPoint::doubt_asked, "RecoveryAskedOfANotice", Scene::flood, CrashPoint::notice_sent},
    CrashCase{
        CrashPoint::notice_noted, "RecoveryNoticeNoted", Scene::flood, CrashPoint::notice_sent},
    CrashCase{CrashPoint::doubt_settled, "RecoverySettledANotice", Scene::flood,
        CrashPoint::notice_begun},
    CrashCase{CrashPoint::recorded, "RecoveryRecorded", Scene::talk, CrashPoint::received},
    CrashCase{CrashPoint::committed, "RecoveryCommitted", Scene::talk, CrashPoint::intended},
};

// Only whole lines have these: line_crash_test.cpp, unix_line_crash_test.cpp. And only the bridge
// of a joined room: bridged_point_test.cpp. And the end of such a room:
// tests/cluster/last_line_point_test.cpp.
constexpr std::array points_tested_elsewhere{CrashPoint::looked, CrashPoint::name_stored,
    CrashPoint::part_written, CrashPoint::state_torn, CrashPoint::state_unsealed,
    CrashPoint::state_written, CrashPoint::last_line_noted, CrashPoint::last_line_sent};

constexpr bool every_point_has_a_case() {
    for (unsigned point = 0; point < static_cast<unsigned>(CrashPoint::count); ++point)
        if (std::find(points_tested_elsewhere.begin(), points_tested_elsewhere.end(),
                static_cast<CrashPoint>(point)) == points_tested_elsewhere.end() &&
            std::none_of(cases.begin(), cases.end(), [point](const CrashCase& candidate) {
                return static_cast<unsigned>(candidate.point) == point;
            }))
            return false;
    return true;
}
static_assert(every_point_has_a_case(), "a crash point has no test: add it to `cases`");

class CrashPointTest : public CrashScene, public testing::WithParamInterface<CrashCase> {
protected:
    void run(const CrashCase& crash, const char* build);
};

INSTANTIATE_TEST_SUITE_P(Windows, CrashPointTest, testing::ValuesIn(cases),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(CrashPointTest, NoClientNotices) {
    const bool renews = GetParam().scene == Scene::renew;
    run(GetParam(), renews ? "CHATSERV_RENEWING" : "CHATSERV_WITH_CRASH_POINTS");
}

// The same while the master replaces the workers' channels again and again.
TEST_P(CrashPointTest, NoClientNoticesWhileChannelsAreReplaced) {
    run(GetParam(), "CHATSERV_RENEWING");
}

void CrashPointTest::run(const CrashCase& crash, const char* build) {
    std::vector<std::string> options;
    if (crash.scene == Scene::flood)
        options = {"--max-rate", std::to_string(max_rate_bytes)};
    if (crash.scene == Scene::fall_behind)
        options = {"--log-size", "2M", "--stall-limit", "3600", "--slow-policy", "disconnect"};
    if (crash.scene == Scene::replay)
        options = {"--replay", "32K", "--log-size", "64K"};
    if (crash.scene == Scene::resume)
        listen_.emplace_back("resume:127.0.0.1:0");
    if (crash.scene == Scene::reload) {
        configure("");
        options = {"--config", config()};
    }
    open(build_named(build), options);
    if (crash.scene == Scene::replay)
        fill_log();
    arm(crash.point, crash.first, crash.worker);
    switch (crash.scene) {
    case Scene::talk:
        everyone_speaks("meanwhile");
        break;
    case Scene::join:
        join("a newcomer speaks;");
        break;
    case Scene::replay:
        join_with_replay("a newcomer speaks;");
        break;
    case Scene::resume:
        resume_from(5);
        break;
    case Scene::leave:
        leave(0, "0 says goodbye;");
        break;
    case Scene::fall_behind:
        fall_behind(0);
        break;
    case Scene::kick:
        be_kicked(0, "0 is about to go;");
        break;
    case Scene::flood:
        send_too_fast(0);
        break;
    case Scene::move:
        move();
        break;
    case Scene::reload: // the successor has the new rate, and so have the others
        configure("max-rate = " + std::to_string(max_rate_bytes) + "\n");
        EXPECT_EQ(reload(), "max-rate: 0 -> 64K\n");
        send_too_fast(0);
        send_too_fast(1);
        break;
    case Scene::renew: // in one of the master's next turns
        loop_.wait_until([&] { return struck(crash.point); }, "a new channel");
        break;
    }
    everyone_speaks("after");
    if (crash.scene == Scene::resume)
        expect_that_the_reader_has_all(5);
    EXPECT_TRUE(struck(crash.point)) << "no process reached that point";
    EXPECT_TRUE(crash.first == CrashPoint::count || struck(crash.first));
    server_->wait_for_line("worker " + std::to_string(crash.worker) + " taken over by pid ");
    expect_that_nobody_noticed();
    if (crash.scene == Scene::move) {
        EXPECT_EQ(users_moved(), 2U);
        expect_that_worker_1_has_no_users();
    }
    stop();
}

// A client that is closed for being idle leaves and receives the notice, whichever worker completes
// the close.
class IdleCrashTest : public CrashScene, public testing::WithParamInterface<CrashPoint> {};

INSTANTIATE_TEST_SUITE_P(W6, IdleCrashTest,
    testing::Values(CrashPoint::end_seen, CrashPoint::closing, CrashPoint::left_untold),
    [](const auto& tested) { return std::to_string(static_cast<unsigned>(tested.param)); });

TEST_P(IdleCrashTest, EveryIdleClientReceivesTheNotice) {
    open(build_named("CHATSERV_WITH_CRASH_POINTS"), {"--idle-timeout", "3"});
    arm_victim(GetParam());
    for (Person& person : people_) {
        person.client->wait_for_end();
        EXPECT_EQ(person.client->received(), person.expected + "idle for too long!\n");
    }
    server_->wait_for_line(" left: idle", people_.size());
    EXPECT_TRUE(struck(GetParam()));
    EXPECT_EQ(server_->count(" left: "), people_.size());
    server_->wait_for_line("worker 1 taken over by pid ");
    stop();
}

} // namespace
} // namespace chatserv::test
