// H5: when the room of a host ends, each of its users is sent what is left of the log and then the
// line that says so, each byte once: also one whose socket was full, and whoever dies meanwhile.
#include "tests/cluster/last_line_scene.h"
#include "tests/crash/household.h"

#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <string>

namespace chatserv::test {
namespace {

using LastLineTest = LastLineScene;

TEST_F(LastLineTest, ComesBehindTheRestForOneWhoseSocketWasFull) {
    start("60");
    const std::string text = much("");
    say_what_ben_does_not_read(text);
    end_room();
    expect_end(*cleo, line);
    expect_end(*anna, text + line);
    EXPECT_FALSE(ben->ended());
    expect_end(*ben, text + line);
    expect_that_the_server_ends();
    EXPECT_EQ(server().count("left: its room is over on this host"), 3U);
    EXPECT_EQ(server().count(not_read), 0U);
}

TEST_F(LastLineTest, IsALineOfItsOwn) {
    start("60");
    const std::string text = much("half a li");
    say_what_ben_does_not_read(text);
    end_room();
    expect_end(*cleo, line);
    expect_end(*anna, text + "\n" + line);
    expect_end(*ben, text + "\n" + line);
    expect_that_the_server_ends();
}

TEST_F(LastLineTest, OneThatReadsNothingIsDisconnectedAsInAStopAndCounted) {
    start("0.5");
    const std::string text = much("");
    say_what_ben_does_not_read(text);
    end_room();
    expect_end(*anna, text + line);
    expect_that_the_server_ends();
    EXPECT_EQ(server().count("and it did not read the rest in time"), 1U);
    EXPECT_EQ(server().count("1 user did not read in time all that there was to read"), 1U);
    ben->resume();
    ben->wait_for_end();
    EXPECT_EQ(text.compare(0, ben->received().size(), ben->received()), 0);
}

// It goes on reading, and so has all the time of a stop, which is twice the limit and two seconds.
TEST_F(LastLineTest, OneThatReadsTooSlowlyIsDisconnectedWhenTheStopIsOver) {
    start("0.5");
    const std::string text = much("");
    say_what_ben_does_not_read(text);
    end_room();
    while (!server().process().exited()) {
        ben->resume();
        loop.turn(std::chrono::milliseconds(50));
        ben->pause();
        const std::size_t so_far = ben->received().size();
        for (int turn = 0; turn < 4 && !server().process().exited(); ++turn)
            loop.turn(std::chrono::milliseconds(50));
        ASSERT_EQ(ben->received().size(), so_far);
    }
    EXPECT_EQ(server().process().wait_for_exit(), Room::status_of_the_end);
    // On a busy machine it may not have read for the limit.
    EXPECT_EQ(server().count("the workers did not end in time, so they are killed") +
                  server().count("and it did not read the rest in time"),
        1U);
    EXPECT_EQ(server().count("1 user did not read in time all that there was to read"), 1U);
    EXPECT_EQ(text.compare(0, ben->received().size(), ben->received()), 0);
}

// He reads, and somebody dies each time that he has read a part.
class LastLineKillTest : public LastLineScene {
protected:
    enum class Whom : unsigned { workers, master, all_but_the_keeper, keeper };

    // False where keeper and master were not both there.
    bool kill(Whom whom) {
        const Household household = household_of(server().process().pid(), Descriptors::shared);
        if (whom != Whom::workers) {
            if (!household.couple)
                return false;
            const pid_t victim =
                whom == Whom::keeper ? household.couple->keeper : household.couple->master;
            ::kill(victim, SIGKILL);
            loop.wait_until([&] { return is_dead(victim); }, "a death");
        }
        if (whom == Whom::workers || whom == Whom::all_but_the_keeper)
            for (const pid_t worker : household.workers)
                ::kill(worker, SIGKILL);
        return true;
    }
    // Kinds of victims take turns. Returns how many there were.
    unsigned kill_while_ben_reads(unsigned kinds) {
        unsigned strikes = 0;
        while (!ben->ended()) {
            strikes += kill(static_cast<Whom>(strikes % kinds)) ? 1U : 0U;
            const std::size_t before = ben->received().size();
            ben->resume();
            loop.wait_until([&] { return ben->ended() || ben->received().size() > before; },
                "more for the one who reads");
            ben->pause();
        }
        return strikes;
    }
    void expect_that_nobody_notices(unsigned kinds) {
        start("60");
        const std::string text = much("half a li");
        say_what_ben_does_not_read(text);
        end_room();
        (void)room->reason_of_end(0);
        EXPECT_GT(kill_while_ben_reads(kinds), 2 * kinds) << "he has read too fast";
        expect_end(*ben, text + "\n" + line);
        expect_end(*anna, text + "\n" + line);
        expect_end(*cleo, line);
    }
};

TEST_F(LastLineKillTest, WorkersAndMastersChangeNothing) {
    expect_that_nobody_notices(3);
    expect_that_the_server_ends();
    EXPECT_EQ(server().count(not_read), 0U);
}

// The pid that was started is not the server's any more, and so its status tells nothing.
TEST_F(LastLineKillTest, NorDoKeepers) {
    expect_that_nobody_notices(4);
    loop.wait_until([&] { return server().ended(); }, "the server's end");
    EXPECT_EQ(server().count(not_read), 0U);
}

} // namespace
} // namespace chatserv::test
