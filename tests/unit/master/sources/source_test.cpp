// One source: when it is tried, how it becomes a client, and what its end is followed by.
#include "master/sources/source.h"

#include "shared/segment/atomic_word.h"
#include "tests/unit/master/sources/source_scene.h"

#include <cerrno>
#include <sys/socket.h>
#include <sysexits.h>

namespace chatserv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = Source::Clock;

// The first pause is from three quarters of a second to a whole one.
constexpr milliseconds shortest_first{750};

class SourceTest : public SourceScene {
protected:
    Source make(const std::string& address, milliseconds silence = milliseconds(0)) {
        options_.source_silence = silence;
        return Source({.number = 1, .address = source(address)},
            SourceProcess(ledger_, events_, SeatId{0}, Tag(Watched::source)), ledger_.places()[0]);
    }

    void try_now(Source& tried, Clock::time_point now) {
        tried.try_now({.program = *program_,
                          .source = tried.address(),
                          .options = options_,
                          .place = std::nullopt,
                          .dropped = 0,
                          .upgrade = 0},
            now);
    }

    // A try whose process ends at once.
    void fail(Source& tried, Clock::time_point now) {
        run("exit 3");
        try_now(tried, now);
        ASSERT_NE(tried.process().pid(), 0);
        wait_for_exit(tried.process().pid());
        tried.note_exit(*book_, now);
    }

    // A try that has passed on a connection, whose process is there.
    ClientId connect(Source& tried, Clock::time_point now) {
        run(until_a_word);
        try_now(tried, now);
        const ClientId client = admit(1);
        tried.note_connected(client, now);
        return client;
    }

    void end_process(Source& tried, Clock::time_point now) {
        tried.process().end();
        wait_for_exit(tried.process().pid());
        tried.note_exit(*book_, now);
    }

    void look(Source& tried, Clock::time_point now) {
        tried.look(*book_, segment_.mapping, true, now);
    }

    // Whether the worker would read the end of file.
    [[nodiscard]] bool is_shut(ClientId client) const {
        char byte = 0;
        return ::recv(book_->escrow().find(client)->socket(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) ==
               0;
    }

    const Clock::time_point start_ = Clock::now();
};

TEST_F(SourceTest, IsTriedAtOnce) {
    Source tried = make("tcp:192.0.2.1:7");
    EXPECT_EQ(tried.state(), Source::State::waiting);
    EXPECT_TRUE(tried.is_due(start_));
    EXPECT_EQ(ledger_.places()[0].connections, 0U);
    EXPECT_EQ(tried.error(), "");
}

TEST_F(SourceTest, IsTriedAgainAfterAPauseThatGrows) {
    Source tried = make("tcp:192.0.2.1:7");
    Clock::time_point now = start_;
    for (milliseconds longest = RetryPause::first; longest < 2 * RetryPause::longest;
         longest *= 2) {
        fail(tried, now);
        EXPECT_EQ(tried.state(), Source::State::waiting);
        EXPECT_EQ(tried.error(), "its process ended: exit status 3");
        const milliseconds bound = std::min(longest, RetryPause::longest);
        const milliseconds pause = tried.wait_from(now);
        EXPECT_LE(pause, bound);
        EXPECT_GE(pause, bound * 3 / 4);
        EXPECT_EQ(tried.next_look(), now + pause);
        EXPECT_FALSE(tried.is_due(now + pause - milliseconds(1)));
        now += pause;
        EXPECT_TRUE(tried.is_due(now));
    }
}

TEST_F(SourceTest, TwoOfThemAreNotTriedAtTheSameInstant) {
    Source first = make("tcp:192.0.2.1:7");
    Source second = make("tcp:192.0.2.1:7");
    unsigned alike = 0;
    for (unsigned i = 0; i < 4; ++i) {
        fail(first, start_);
        fail(second, start_);
        alike += first.wait_from(start_) == second.wait_from(start_) ? 1 : 0;
    }
    EXPECT_LT(alike, 4U);
}

TEST_F(SourceTest, SaysWhatItsProcessHasSaid) {
    Source tried = make("tcp:192.0.2.1:7");
    run("exit 69");
    try_now(tried, start_);
    EXPECT_EQ(tried.state(), Source::State::trying);
    EXPECT_FALSE(tried.is_due(start_ + seconds(3600)));
    tried.note_failure("Connection refused");
    wait_for_exit(tried.process().pid());
    tried.note_exit(*book_, start_);
    EXPECT_EQ(tried.error(), "Connection refused");
    run("exit 0");
    try_now(tried, start_ + seconds(1));
    EXPECT_EQ(tried.error(), "") << "of the try before";
    end_process(tried, start_);
}

TEST_F(SourceTest, AProgramThatCannotBeExecutedIsAFailedTry) {
    Source tried = make("tcp:192.0.2.1:7");
    program_ = std::make_unique<ProgramFile>(UniqueFd(), folder_.path() / "missing");
    try_now(tried, start_);
    wait_for_exit(tried.process().pid());
    tried.note_exit(*book_, start_);
    EXPECT_EQ(tried.error(), "its process ended: exit status " + std::to_string(EX_UNAVAILABLE));
    EXPECT_EQ(tried.state(), Source::State::waiting);
}

TEST_F(SourceTest, ATryThatTakesTooLongIsEnded) {
    Source tried = make("tcp:192.0.2.1:7");
    run(until_a_word);
    try_now(tried, start_);
    const Clock::time_point due = *tried.next_look();
    EXPECT_EQ(due, start_ + std::chrono::minutes(2));
    look(tried, due - milliseconds(1));
    EXPECT_EQ(tried.error(), "");
    look(tried, due);
    wait_for_exit(tried.process().pid());
    tried.note_exit(*book_, due);
    EXPECT_EQ(tried.error(), "the try took too long");
}

TEST_F(SourceTest, StaysConnectedWithoutItsProcess) {
    Source tried = make("tcp:192.0.2.1:7");
    const ClientId client = connect(tried, start_);
    EXPECT_EQ(tried.state(), Source::State::connected);
    EXPECT_EQ(tried.client(), client);
    EXPECT_EQ(ledger_.places()[0].connections, 1U);
    EXPECT_EQ(tried.next_look(), std::nullopt);
    end_process(tried, start_);
    look(tried, start_ + seconds(3600));
    EXPECT_EQ(tried.state(), Source::State::connected);
    EXPECT_FALSE(is_shut(client));
}

TEST_F(SourceTest, IsMadeAgainWhenItsClientHasLeft) {
    Source tried = make("tcp:192.0.2.1:7");
    for (unsigned i = 0; i < 3; ++i)
        fail(tried, start_);
    let_leave(connect(tried, start_));
    end_process(tried, start_);
    const Clock::time_point lasted = start_ + RetryPause::lasting;
    look(tried, lasted);
    EXPECT_EQ(tried.state(), Source::State::waiting);
    EXPECT_EQ(tried.error(), "its connection has ended");
    EXPECT_EQ(tried.client(), std::nullopt);
    EXPECT_LE(tried.wait_from(lasted), RetryPause::first) << "it had lasted: no failure";
    EXPECT_GE(tried.wait_from(lasted), shortest_first);
}

// What it was sent may still be on its way.
TEST_F(SourceTest, ItsProcessMayFinishWhenItsClientHasLeft) {
    Source tried = make("serial:/dev/null");
    let_leave(connect(tried, start_));
    look(tried, start_);
    EXPECT_EQ(tried.state(), Source::State::waiting);
    EXPECT_FALSE(tried.is_due(start_ + seconds(3600))) << "its process is there";
    const Clock::time_point too_late = start_ + seconds(5);
    EXPECT_EQ(tried.next_look(), too_late);
    look(tried, too_late);
    wait_for_exit(tried.process().pid());
    tried.note_exit(*book_, too_late);
    EXPECT_TRUE(tried.is_due(too_late));
}

// The end of what only listens is nothing that a worker reads.
TEST_F(SourceTest, AListeningOneEndsWithItsProcess) {
    Source listening = make("listen:serial:/dev/null");
    ClientId client = connect(listening, start_);
    end_process(listening, start_);
    EXPECT_TRUE(is_shut(client));
    Source speaking = make("serial:/dev/null");
    client = connect(speaking, start_);
    end_process(speaking, start_);
    EXPECT_FALSE(is_shut(client));
}

TEST_F(SourceTest, IsShutWhenItSendsNothingForTooLong) {
    constexpr milliseconds silence{1000};
    Source tried = make("tcp:192.0.2.1:7", silence);
    const ClientId client = connect(tried, start_);
    const auto look_until = [&](Clock::time_point end) {
        while (*tried.next_look() <= end)
            look(tried, *tried.next_look());
    };
    look_until(start_ + silence - milliseconds(1));
    EXPECT_FALSE(is_shut(client));
    UserTable users(segment_.mapping);
    store_release(users[client.slot].bytes_read, uint64_t{5}); // as its worker does
    look_until(start_ + silence * 3 / 2);
    EXPECT_FALSE(is_shut(client)) << "it was heard";
    look_until(start_ + silence * 5 / 2);
    EXPECT_TRUE(is_shut(client));
    EXPECT_EQ(tried.error(), "it sent nothing for 1 s");
    let_leave(client);
    look(tried, start_ + 3 * silence);
    EXPECT_EQ(tried.error(), "it sent nothing for 1 s");
    end_process(tried, start_);
}

// The log is full, or the server has stood still: the source is not to blame.
TEST_F(SourceTest, IsNotSilentWhileItsBytesWait) {
    constexpr milliseconds silence{1000};
    Source tried = make("tcp:192.0.2.1:7", silence);
    const ClientId client = connect(tried, start_);
    ASSERT_EQ(::send(peer_.get(), "waits", 5, 0), 5);
    char byte = 0;
    const int socket = book_->escrow().find(client)->socket();
    while (::recv(socket, &byte, 1, MSG_PEEK) == -1)
        ASSERT_EQ(errno, EAGAIN);
    for (int turn = 0; turn < 20; ++turn)
        look(tried, *tried.next_look());
    EXPECT_EQ(tried.error(), "");
    end_process(tried, start_);
}

TEST_F(SourceTest, SomeCannotBeSilent) {
    for (const char* const address : {"listen:tcp:192.0.2.1:7", "file:/nowhere", "stdin"}) {
        Source tried = make(address, milliseconds(100));
        (void)connect(tried, start_);
        EXPECT_EQ(tried.next_look(), std::nullopt) << address;
        end_process(tried, start_);
    }
}

TEST_F(SourceTest, ItsEndForGoodIsSaidOnce) {
    Source tried = make("stdin");
    let_leave(connect(tried, start_));
    tried.note_over();
    end_process(tried, start_);
    look(tried, start_);
    EXPECT_EQ(tried.state(), Source::State::over);
    EXPECT_TRUE(tried.take_over_news());
    EXPECT_FALSE(tried.take_over_news());
    EXPECT_FALSE(tried.is_due(start_ + seconds(3600)));
    EXPECT_EQ(tried.next_look(), std::nullopt);
}

TEST_F(SourceTest, OneThatIsRefusedHasToTryAgain) {
    Source tried = make("tcp:192.0.2.1:7");
    run(until_a_word);
    try_now(tried, start_);
    tried.refuse("the server has no place left for it");
    wait_for_exit(tried.process().pid());
    tried.note_exit(*book_, start_);
    EXPECT_EQ(tried.state(), Source::State::waiting);
    EXPECT_EQ(tried.error(), "the server has no place left for it");
}

} // namespace
} // namespace chatserv
