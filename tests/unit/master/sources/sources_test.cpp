// All sources: what their processes say, and what a successor of a master finds of them.
#include "tests/unit/master/sources/sources_scene.h"

#include <poll.h>
#include <sys/socket.h>

namespace chatserv {
namespace {

using Phase = Sources::Phase;

class SourcesTest : public SourcesScene {};

TEST_F(SourcesTest, AreMadeInOnePhaseOnly) {
    run(until_a_word);
    const auto sources = make({"tcp:192.0.2.1:7", "unix:/nowhere"});
    EXPECT_TRUE(sources->look(Phase::as_is).empty());
    EXPECT_FALSE(sources->has_processes());
    EXPECT_TRUE(sources->look(Phase::making).empty());
    for (const auto& [number, each] : sources->all()) {
        EXPECT_EQ(each.state(), Source::State::trying);
        children_.push_back(each.process().pid());
    }
    EXPECT_NE(children_[0], children_[1]);
    // A try is not waited for once the server stops.
    EXPECT_TRUE(sources->look(Phase::as_is).empty());
    for (const pid_t pid : std::exchange(children_, {}))
        wait_for_exit(pid);
    sources->reap_children();
    EXPECT_FALSE(sources->has_processes());
    EXPECT_TRUE(sources->look(Phase::as_is).empty());
    EXPECT_FALSE(sources->has_processes());
    EXPECT_EQ(sources->next_look(), std::nullopt);
}

TEST_F(SourcesTest, ASuccessorFindsTheClientsOfItsSources) {
    const ClientId first = admit(1);
    const ClientId third = admit(3);
    const auto sources = make({"tcp:192.0.2.1:7", "tcp:192.0.2.2:7"});
    sources->take_over();
    EXPECT_EQ(sources->find(1)->state(), Source::State::connected);
    EXPECT_EQ(sources->find(1)->client(), first);
    EXPECT_EQ(ledger_.places()[0].connections, 1U);
    EXPECT_EQ(sources->find(2)->state(), Source::State::waiting);
    EXPECT_NE(book_->escrow().find(third), nullptr) << "of a source that is no more";
    let_leave(first);
    (void)sources->look(Phase::as_is);
    EXPECT_EQ(sources->find(1)->state(), Source::State::waiting);
}

TEST_F(SourcesTest, ASuccessorFindsTheProcessesOfItsSources) {
    (void)admit(1);
    const pid_t pid = leave_process(0);
    const auto sources = make({"serial:/dev/null"});
    sources->take_over();
    EXPECT_EQ(sources->find(1)->process().pid(), pid);
    EXPECT_TRUE(sources->find(1)->process().is_inherited());
    EXPECT_EQ(question(), '\0');
    ASSERT_EQ(say_word(lifeline_.get(), SourceWord::Kind::failed, "Input/output error"), 0);
    hear(*sources, 0);
    EXPECT_EQ(sources->find(1)->error(), "Input/output error");
    // Its exit is told by NOTE_EXIT alone, and the keeper reaps it.
    sources->reap_children();
    EXPECT_TRUE(sources->has_processes());
    EXPECT_FALSE(sources->take_may_reap());
    EXPECT_FALSE(sources->handle_exit(pid + 1));
    EXPECT_TRUE(sources->handle_exit(pid));
    EXPECT_FALSE(sources->has_processes());
    EXPECT_TRUE(sources->take_may_reap());
}

// The source is tried anew, by a process of the successor's.
TEST_F(SourcesTest, AProcessThatWasOnItsWayIsNotHeardAnyMore) {
    const pid_t pid = leave_process(0);
    const auto sources = make({"tcp:192.0.2.1:7"});
    sources->take_over();
    EXPECT_EQ(sources->find(1)->state(), Source::State::waiting);
    (void)sources->look(Phase::making);
    EXPECT_EQ(sources->find(1)->process().pid(), pid) << "no second one beside it";
    FdPair pair = make_loopback_pair();
    ASSERT_EQ(say_word(lifeline_.get(), SourceWord::Kind::connected, "", pair.first.get()), 0);
    pair.first.reset();
    hear(*sources, 0);
    EXPECT_TRUE(book_->escrow().empty());
    wait_for_exit(pid);
    pollfd closed{.fd = pair.second.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&closed, 1, 10'000), 1) << "its connection is closed";
}

// The dead master may not have noted the last place that it was told.
TEST_F(SourcesTest, ASuccessorAsksAFileForItsPlace) {
    const ClientId client = admit(1);
    (void)leave_process(0);
    const auto sources = make({"file:/nowhere"});
    sources->take_over();
    EXPECT_EQ(question(), '?');
    const FilePlace place{.device = 1, .inode = 2, .offset = 100, .fed = 10};
    ASSERT_EQ(say_word(lifeline_.get(), SourceWord::Kind::place, place.text()), 0);
    hear(*sources, 0);
    const SourceRecord& record = ledger_.places()[0];
    EXPECT_EQ(record.state, static_cast<uint32_t>(PlaceState::reading));
    EXPECT_EQ(next_place(record), std::nullopt) << "its client is there";
    UserTable users(segment_.mapping);
    users[client.slot].bytes_read = 25; // relayed
    let_leave(client);
    const auto next = next_place(record);
    ASSERT_TRUE(next);
    EXPECT_EQ(*next, (FilePlace{.device = 1, .inode = 2, .offset = 115, .fed = 0}));
}

// The master hears a worker first, then the process: the next one goes on where the relay has come
// to, and not at the file's end.
TEST_F(SourcesTest, APlaceIsNotedThoughTheClientHasLeftBeforeItIsHeard) {
    const ClientId client = admit(1);
    (void)leave_process(0);
    const auto sources = make({"file:/nowhere"});
    sources->take_over();
    const FilePlace place{.device = 1, .inode = 2, .offset = 100, .fed = 10};
    ASSERT_EQ(say_word(lifeline_.get(), SourceWord::Kind::place, place.text()), 0);
    UserTable users(segment_.mapping);
    users[client.slot].bytes_read = 25; // relayed
    let_leave(client);
    (void)sources->look(Phase::as_is);
    const SourceRecord& record = ledger_.places()[0];
    EXPECT_EQ(next_place(record), (FilePlace{.device = 1, .inode = 2, .offset = 115, .fed = 0}));
    // A place that it says after that is none of which anything was relayed.
    const FilePlace late{.device = 1, .inode = 3, .offset = 0, .fed = 50};
    ASSERT_EQ(say_word(lifeline_.get(), SourceWord::Kind::place, late.text()), 0);
    hear(*sources, 0);
    EXPECT_EQ(next_place(record), (FilePlace{.device = 1, .inode = 2, .offset = 115, .fed = 0}));
}

// A seat whose process has ended, or has never stored its pid, is free again.
TEST_F(SourcesTest, ASuccessorGivesUpSeatsWithoutAProcess) {
    FdPair lifeline = make_stream_pair();
    (void)SeatBook(ledger_.sources()).note_starting(SeatId{0}, lifeline.first.release(), 0);
    const auto sources = make({"tcp:192.0.2.1:7"});
    sources->take_over();
    EXPECT_FALSE(sources->has_processes());
    EXPECT_TRUE(SeatBook(ledger_.sources()).seated().empty());
    EXPECT_TRUE(sources->find(1)->is_due(Source::Clock::now()));
}

} // namespace
} // namespace chatserv
