// The room of a host ends, and a worker or a master of it dies at a chosen instant of that: each
// user is sent all that it is due once (W6, W11, MW7, MW12, MW18).
#include "master/ledger/master_point.h"
#include "shared/segment/crash_point.h"
#include "tests/cluster/last_line_scene.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

namespace chatserv::test {
namespace {

// When somebody is to die: as the room ends; as Ben reads, when all others have gone; or both.
enum class When : std::uint8_t { it_ends, he_reads, both };

struct EndCase {
    const char* name;
    CrashPoint point;
    When when;
    CrashPoint first = CrashPoint::count;
};
constexpr std::array ends{
    EndCase{"W6EndSeen", CrashPoint::end_seen, When::it_ends},
    EndCase{"W6Closing", CrashPoint::closing, When::it_ends},
    EndCase{"W6LeftUntold", CrashPoint::left_untold, When::both},
    EndCase{"W2Written", CrashPoint::written, When::he_reads},
    EndCase{"W2CursorTorn", CrashPoint::cursor_torn, When::both},
    EndCase{"W11Noted", CrashPoint::last_line_noted, When::both},
    EndCase{"W11Sent", CrashPoint::last_line_sent, When::both},
    EndCase{"RecoveryAsked", CrashPoint::doubt_asked, When::both, CrashPoint::last_line_sent},
    EndCase{"RecoverySettled", CrashPoint::doubt_settled, When::both, CrashPoint::last_line_sent},
    EndCase{"RecoveryNoted", CrashPoint::last_line_noted, When::he_reads, CrashPoint::written},
};

struct MasterEndCase {
    const char* name;
    MasterPoint point;
    When when;
};
constexpr std::array master_ends{
    MasterEndCase{"MW12ListenersClosed", MasterPoint::listeners_closed, When::it_ends},
    MasterEndCase{"MW12StopTold", MasterPoint::stop_told, When::it_ends},
    MasterEndCase{"MW18ExitNoted", MasterPoint::companion_exit_noted, When::it_ends},
    MasterEndCase{"MW18Reaped", MasterPoint::companion_reaped, When::it_ends},
    MasterEndCase{"MW18Recovered", MasterPoint::companion_recovered, When::it_ends},
    MasterEndCase{"MW7SlotFreed", MasterPoint::slot_freed, When::both},
    MasterEndCase{"MW7ConnectionShut", MasterPoint::connection_shut, When::both},
    MasterEndCase{"MW12Dismissed", MasterPoint::dismissed, When::it_ends},
};

class LastLinePointTest : public LastLineScene {
protected:
    void start_with_points() {
        std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
        const char* const binary = std::getenv("CHATSERV_WITH_CRASH_POINTS");
        ASSERT_NE(binary, nullptr) << "run these with meson test";
        start("60",
            {.binary = binary, .environment = {{"CHATSERV_CRASH_DIR", folder.path().string()}}});
    }
    void arm(const std::string& name) { (void)folder.file(name, ""); }
    void arm(CrashPoint point) { arm(std::to_string(static_cast<unsigned>(point))); }
    void arm(MasterPoint point) { arm("master-" + std::to_string(static_cast<unsigned>(point))); }
    void wait_until_all_have_struck() {
        loop.wait_until([&] { return std::filesystem::is_empty(folder.path()); }, "the deaths");
    }
    // `arm_all` arms what is to strike.
    template <typename ArmAll>
    void expect_that_all_are_told(When when, ArmAll arm_all) {
        const std::string text = much("half a li");
        say_what_ben_does_not_read(text);
        if (when != When::he_reads)
            arm_all();
        end_room();
        expect_end(*anna, text + "\n" + line);
        expect_end(*cleo, line);
        if (when != When::it_ends) {
            wait_until_all_have_struck();
            arm_all();
        }
        expect_end(*ben, text + "\n" + line);
        wait_until_all_have_struck();
        expect_that_the_server_ends();
        EXPECT_EQ(server().count(not_read), 0U);
    }

    TemporaryDirectory folder;
};

class LastLineCrashPointTest : public LastLinePointTest,
                               public testing::WithParamInterface<EndCase> {};
TEST_P(LastLineCrashPointTest, ASuccessorGoesOn) {
    start_with_points();
    expect_that_all_are_told(GetParam().when, [this] {
        arm(GetParam().point);
        if (GetParam().first != CrashPoint::count)
            arm(GetParam().first);
    });
}
INSTANTIATE_TEST_SUITE_P(Windows, LastLineCrashPointTest, testing::ValuesIn(ends),
    [](const auto& tested) { return std::string(tested.param.name); });

class LastLineMasterPointTest : public LastLinePointTest,
                                public testing::WithParamInterface<MasterEndCase> {};
TEST_P(LastLineMasterPointTest, ASuccessorGoesOn) {
    start_with_points();
    expect_that_all_are_told(GetParam().when, [this] { arm(GetParam().point); });
}
INSTANTIATE_TEST_SUITE_P(Windows, LastLineMasterPointTest, testing::ValuesIn(master_ends),
    [](const auto& tested) { return std::string(tested.param.name); });

} // namespace
} // namespace chatserv::test
