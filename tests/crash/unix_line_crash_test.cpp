// W1 with whole lines and a user of a UNIX socket, whose unfinished line is read and kept in the
// segment: wherever its worker dies within that, every reader receives each line once and whole.
#include "shared/system/kernel_account.h"
#include "tests/crash/crash_scene.h"

#include <array>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

namespace chatserv::test {
namespace {

// What the user of the UNIX socket does when its worker is to die.
enum class PartScene {
    begin,  // a line, and the beginning of the next one
    extend, // more of the line that it has begun
    end,    // the end of the line, and the beginning of the next one
    name,   // its name, and the beginning of its first line
    leave,  // it leaves with an unfinished line
};

struct PartCase {
    CrashPoint point;
    const char* name;
    PartScene scene;
    // Within a recovery: the instant of the death that is recovered from.
    CrashPoint first = CrashPoint::count;
};

constexpr std::array cases{
    PartCase{CrashPoint::looked, "LookedAtThePart", PartScene::begin},
    PartCase{CrashPoint::received, "ReceivedAPart", PartScene::begin},
    PartCase{CrashPoint::recorded, "RecordedInFrontOfAPart", PartScene::begin},
    PartCase{CrashPoint::part_written, "WroteAPart", PartScene::begin},
    PartCase{CrashPoint::looked, "LookedAtMore", PartScene::extend},
    PartCase{CrashPoint::received, "ReceivedMore", PartScene::extend},
    PartCase{CrashPoint::part_written, "WroteMore", PartScene::extend},
    PartCase{CrashPoint::received, "ReceivedTheEnd", PartScene::end},
    PartCase{CrashPoint::recorded, "RecordedTheEnd", PartScene::end},
    PartCase{CrashPoint::part_written, "WroteTheNextPart", PartScene::end},
    PartCase{CrashPoint::name_stored, "StoredTheName", PartScene::name},
    PartCase{CrashPoint::received, "ReceivedTheName", PartScene::name},
    PartCase{CrashPoint::part_written, "TookTheName", PartScene::name},
    PartCase{CrashPoint::received, "EndsThePart", PartScene::leave},
    PartCase{CrashPoint::recorded, "RecordedTheEndedPart", PartScene::leave},
    PartCase{CrashPoint::part_written, "ForgotTheEndedPart", PartScene::leave},
    PartCase{CrashPoint::doubt_asked, "RecoveryAsked", PartScene::end, CrashPoint::received},
    PartCase{CrashPoint::recorded, "RecoveryRecorded", PartScene::end, CrashPoint::received},
    PartCase{
        CrashPoint::part_written, "RecoveryWroteThePart", PartScene::end, CrashPoint::received},
    PartCase{
        CrashPoint::part_written, "RecoveryWroteTheRest", PartScene::end, CrashPoint::recorded},
    PartCase{CrashPoint::doubt_settled, "RecoverySettled", PartScene::end, CrashPoint::recorded},
    PartCase{
        CrashPoint::part_written, "RecoveryTookTheName", PartScene::name, CrashPoint::received},
};

class UnixLineCrashTest : public CrashScene, public testing::WithParamInterface<PartCase> {
protected:
    // It only speaks, so nothing but its own words is in flight.
    void join_at(const std::string& path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        local_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM, 0));
        ASSERT_EQ(
            ::connect(local_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            0);
        server_->wait_for_line("user 4 joined from unix");
    }

    void type(const std::string& text) {
        ASSERT_EQ(
            ::send(local_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }

    void everyone_receives(const std::string& line) {
        for (Person& person : people_) {
            person.expected += "Ada: " + line;
            person.client->wait_for_bytes(person.expected.size());
        }
    }

    // Everyone's own lines begin with their names.
    void everyone_speaks(const std::string& occasion) override {
        for (std::size_t i = 0; i < people_.size(); ++i) {
            const std::string name = "person " + std::to_string(i);
            const std::string line = occasion + "\n";
            if (!introduced_)
                people_[i].client->send(name + "\n");
            people_[i].client->send(line);
            everyone_but(i, std::string(name).append(": ").append(line));
        }
        introduced_ = true;
    }

    // Up to the instant at which the victim is to die.
    void begin(PartScene scene) {
        if (scene == PartScene::name)
            return;
        type("Ada\nhello\n");
        everyone_receives("hello\n");
        if (scene == PartScene::begin)
            return;
        type("first\nhalf ");
        everyone_receives("first\n"); // and the worker has kept the rest with that
        everyone_speaks("in between");
    }

    void strike(PartScene scene) {
        switch (scene) {
        case PartScene::begin:
            type("first\nhalf ");
            break;
        case PartScene::extend:
            type("of ");
            break;
        case PartScene::end:
            type("and half\nnew ");
            break;
        case PartScene::name:
            type("Ada\nnew ");
            break;
        case PartScene::leave:
            local_.reset();
            ++left_;
            break;
        }
    }

    void finish(PartScene scene) {
        switch (scene) {
        case PartScene::begin:
            type("and half\n");
            everyone_receives("first\n");
            everyone_receives("half and half\n");
            break;
        case PartScene::extend:
            type("it\n");
            everyone_receives("half of it\n");
            break;
        case PartScene::end:
            type("line\n");
            everyone_receives("half and half\n");
            everyone_receives("new line\n");
            break;
        case PartScene::name:
            type("line\n");
            everyone_receives("new line\n");
            break;
        case PartScene::leave:
            everyone_receives("half \n");
            break;
        }
    }

    UniqueFd local_;
    bool introduced_ = false;
};

INSTANTIATE_TEST_SUITE_P(Windows, UnixLineCrashTest, testing::ValuesIn(cases),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(UnixLineCrashTest, NoClientNotices) {
    if (!counts_reads(UniqueFd(::socket(AF_UNIX, SOCK_STREAM, 0)).get()))
        GTEST_SKIP() << "this system does not count what is read from UNIX sockets";
    const PartCase& crash = GetParam();
    const std::string path = folder_.path().string() + "/door";
    open(build_named("CHATSERV_WITH_CRASH_POINTS"),
        {"--framing", "line", "--prefix", "name", "--listen", "speak:unix:" + path});
    join_at(path);
    begin(crash.scene);
    arm(crash.point, crash.first);
    strike(crash.scene);
    server_->wait_for_line("worker 1 taken over by pid ");
    finish(crash.scene);
    everyone_speaks("later");
    EXPECT_TRUE(struck(crash.point)) << "no process reached that point";
    EXPECT_TRUE(crash.first == CrashPoint::count || struck(crash.first));
    expect_that_nobody_noticed();
    stop();
}

} // namespace
} // namespace chatserv::test
