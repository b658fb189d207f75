// The crash windows with whole lines and names: everybody has an unfinished line in its socket when
// the victim dies, and every reader receives what it would have received otherwise.
#include "tests/crash/crash_scene.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace chatserv::test {
namespace {

enum class LineScene { talk, join, leave, move };

struct LineCase {
    CrashPoint point;
    const char* name;
    LineScene scene = LineScene::talk;
    // Within a recovery: the instant of the death that is recovered from.
    CrashPoint first = CrashPoint::count;
    std::size_t worker = 1; // that dies first
};

constexpr std::array cases{
    LineCase{CrashPoint::looked, "W1Looked"},
    LineCase{CrashPoint::received, "W1Received"},
    LineCase{CrashPoint::recorded, "W1Recorded"},
    LineCase{CrashPoint::looked, "W1LookedForAName", LineScene::join},
    LineCase{CrashPoint::name_stored, "W1NameStored", LineScene::join},
    LineCase{CrashPoint::received, "W1NameReceived", LineScene::join},
    LineCase{CrashPoint::looked, "W1LookedAtOneWhoLeaves", LineScene::leave},
    LineCase{CrashPoint::received, "W1ReceivedOfOneWhoLeaves", LineScene::leave},
    LineCase{CrashPoint::recorded, "W1RecordedOfOneWhoLeaves", LineScene::leave},
    LineCase{CrashPoint::written, "W2Written"},
    LineCase{CrashPoint::cursor_moved, "W2CursorMoved"},
    LineCase{CrashPoint::room_made, "W3RoomMade"},
    LineCase{CrashPoint::bytes_copied, "W3BytesCopied"},
    LineCase{CrashPoint::intended, "W3Intended"},
    LineCase{CrashPoint::committed, "W3Committed"},
    LineCase{CrashPoint::appended, "W3Appended"},
    LineCase{CrashPoint::half_cleared, "W3HalfCleared"},
    LineCase{CrashPoint::not_rung, "W5NotRung"},
    LineCase{CrashPoint::end_seen, "W6EndSeen", LineScene::leave},
    LineCase{CrashPoint::let_go, "W7LetGo", LineScene::move},
    LineCase{.point = CrashPoint::all_attached,
        .name = "W7AllAdopted",
        .scene = LineScene::move,
        .worker = 2},
    LineCase{CrashPoint::doubt_asked, "RecoveryAsked", LineScene::talk, CrashPoint::received},
    LineCase{CrashPoint::doubt_settled, "RecoverySettled", LineScene::talk, CrashPoint::received},
    LineCase{CrashPoint::recorded, "RecoveryRecorded", LineScene::talk, CrashPoint::received},
    LineCase{
        CrashPoint::doubt_settled, "RecoverySettledAName", LineScene::join, CrashPoint::received},
    LineCase{
        CrashPoint::received, "RecoveryReceivesTheName", LineScene::join, CrashPoint::name_stored},
};

class LineCrashTest : public CrashScene, public testing::WithParamInterface<LineCase> {
protected:
    // Each begins a line now, and ends the one that it has begun before.
    void everyone_speaks(const std::string& occasion) override {
        for (std::size_t i = 0; i < people_.size(); ++i)
            if (!people_[i].client->ended())
                speak(i, occasion);
    }

    void speak(std::size_t person, const std::string& occasion) {
        Client& client = *people_[person].client;
        if (begun_.size() <= person) {
            begun_.resize(person + 1);
            client.send(name_of(person) + "\r\n");
        }
        const std::string begun = std::exchange(begun_[person], "after " + occasion + " ");
        client.send(occasion + "\r\nand more\r\n" + begun_[person]);
        const std::string prefix = name_of(person) + ": ";
        everyone_but(person, prefix + begun + occasion + "\n" + prefix + "and more\n");
    }

    // It sends the end of file instead of the end of its line.
    void leave_with_a_rest(std::size_t person) {
        Client& client = *people_[person].client;
        client.send("goodbye");
        client.half_close();
        client.wait_for_end();
        ++left_;
        everyone_but(person, name_of(person) + ": " + begun_[person] + "goodbye\n");
    }

    void join_and_speak() {
        people_.push_back({std::make_unique<Client>(loop_, server_->endpoint())});
        server_->wait_for_join(people_.back().client->address());
        speak(people_.size() - 1, "newly here");
    }

    static std::string name_of(std::size_t person) { return "person " + std::to_string(person); }

private:
    std::vector<std::string> begun_; // of each person that has given its name
};

INSTANTIATE_TEST_SUITE_P(Windows, LineCrashTest, testing::ValuesIn(cases),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(LineCrashTest, NoClientNotices) {
    const LineCase& crash = GetParam();
    open(build_named("CHATSERV_WITH_CRASH_POINTS"),
        {"--framing", "line", "--line-end", "lf", "--prefix", "name"});
    arm(crash.point, crash.first, crash.worker);
    switch (crash.scene) {
    case LineScene::talk:
        everyone_speaks("meanwhile");
        break;
    case LineScene::join:
        join_and_speak();
        break;
    case LineScene::leave:
        leave_with_a_rest(0);
        break;
    case LineScene::move:
        EXPECT_NE(drain(1).find("2 users moved"), std::string::npos);
        break;
    }
    everyone_speaks("later");
    EXPECT_TRUE(struck(crash.point)) << "no process reached that point";
    EXPECT_TRUE(crash.first == CrashPoint::count || struck(crash.first));
    server_->wait_for_line("worker " + std::to_string(crash.worker) + " taken over by pid ");
    expect_that_nobody_noticed();
    stop();
}

} // namespace
} // namespace chatserv::test
