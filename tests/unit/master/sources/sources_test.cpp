// All sources: what their processes say, and what a successor of a master finds of them.
#include "master/sources/sources.h"

#include "master/ledger/source_names.h"
#include "tests/unit/master/sources/source_scene.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

using Phase = Sources::Phase;

class SourcesTest : public SourceScene {
protected:
    void TearDown() override {
        for (const pid_t pid : children_) {
            ::kill(pid, SIGKILL);
            (void)::waitpid(pid, nullptr, 0);
        }
    }

    static std::vector<NumberedSource> list(const std::vector<std::string>& addresses) {
        std::vector<SourceAddress> sources;
        for (const std::string& address : addresses)
            sources.push_back(source(address));
        return numbered(std::move(sources));
    }

    std::unique_ptr<Sources> make(const std::vector<std::string>& addresses) {
        resources_.sources = list(addresses);
        return make_in_force();
    }

    std::unique_ptr<Sources> make_in_force() {
        if (program_)
            resources_.program.emplace(UniqueFd(), path_);
        return std::make_unique<Sources>(Sources::Surroundings{.resources = resources_,
            .options = options_,
            .segment = segment_.mapping,
            .ledger = ledger_,
            .events = events_,
            .clients = *book_,
            .acceptor = acceptor_,
            .kicking = kicking_,
            .choose_entry = choose_entry_,
            .tag = Watched::source,
            .upgrade = 0});
    }

    // A process that a dead master has started for the source at this place. The test has the
    // process's end of the lifeline.
    pid_t leave_process(uint32_t place) {
        FdPair lifeline = make_stream_pair();
        set_nonblocking(lifeline.first.get());
        const PidWord word =
            SeatBook(ledger_.sources()).note_starting(SeatId{place}, lifeline.first.release(), 0);
        const pid_t pid = ::fork();
        if (pid == 0)
            for (;;)
                ::pause();
        *word.word = pid;
        children_.push_back(pid);
        lifeline_ = std::move(lifeline.second);
        return pid;
    }

    // The source at this place hears its process once more.
    static void hear(Sources& sources, uint32_t place) {
        struct kevent event {};
        event.udata = reinterpret_cast<decltype(event.udata)>(
            static_cast<uintptr_t>(Tag(Watched::source).word() | uint64_t{place + 1} << 8));
        sources.handle(event);
    }

    [[nodiscard]] char question() const {
        char byte = 0;
        return ::recv(lifeline_.get(), &byte, 1, MSG_DONTWAIT) == 1 ? byte : '\0';
    }

    SourceResources resources_{};
    Kicking kicking_{2, book_->escrow()};
    const Acceptor::ChooseEntry choose_entry_ = [] { return entry_0; };
    std::vector<pid_t> children_{};
    UniqueFd lifeline_{};
};

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

TEST_F(SourcesTest, AReloadLeavesThoseAloneThatStay) {
    const ClientId first = admit(1);
    const auto sources = make({"tcp:192.0.2.1:7"});
    sources->take_over();
    auto wanted = list({"tcp:192.0.2.1:7", "tcp:192.0.2.2:7"});
    sources->follow(wanted);
    EXPECT_EQ(sources->find(1)->client(), first);
    EXPECT_FALSE(book_->escrow().find(first)->kicked());
    EXPECT_EQ(sources->find(2)->state(), Source::State::waiting);
    EXPECT_EQ(source_name(ledger_.places()[1]), "tcp:192.0.2.2:7");
    wanted[1].is_wanted = false;
    sources->follow(wanted);
    EXPECT_EQ(source_name(ledger_.places()[1]), std::nullopt);
    EXPECT_EQ(source_name(ledger_.places()[0]), "tcp:192.0.2.1:7");
    (void)sources->look(Phase::making);
    EXPECT_EQ(sources->find(2), nullptr) << "there was nothing to wait for";
    EXPECT_EQ(sources->find(1)->client(), first);
}

// The client is asked to leave once by each master; its number is free when its process has ended.
TEST_F(SourcesTest, AReloadLetsOneGoStepByStep) {
    const ClientId client = admit(1);
    const pid_t pid = leave_process(0);
    resources_.sources = list({"serial:/dev/null"});
    auto wanted = resources_.sources;
    wanted[0].is_wanted = false;
    const auto former = make({"serial:/dev/null"});
    former->take_over();
    former->follow(wanted);
    EXPECT_TRUE(former->next_look());
    (void)former->look(Phase::making);
    EXPECT_TRUE(book_->escrow().find(client)->let_go());
    EXPECT_EQ(kicking_.take_requests(entry_0).size(), 1U);
    (void)former->look(Phase::making);
    EXPECT_TRUE(kicking_.take_requests(entry_0).empty());
    EXPECT_EQ(former->next_look(), std::nullopt) << "nothing but the client's end is waited for";
    book_->release_client(client, {.reason = LeaveReason::kicked});
    nlohmann::ordered_json counted;
    Counters(ledger_).add_to(counted);
    EXPECT_EQ(counted["left"]["source_removed"], 1);
    EXPECT_EQ(counted["left"]["kicked"], 0);
    (void)former->look(Phase::making);
    ASSERT_NE(former->find(1), nullptr) << "its process is there";
    EXPECT_EQ(former->find(1)->process().pid(), pid);
    ::kill(pid, SIGKILL);
    wait_for_exit(pid);
    EXPECT_TRUE(former->handle_exit(pid));
    (void)former->look(Phase::making);
    EXPECT_EQ(former->find(1), nullptr);
    EXPECT_FALSE(former->has_processes());
}

TEST_F(SourcesTest, ASuccessorLetsThoseGoThatItsPredecessorHadLetGo) {
    const ClientId client = admit(1);
    auto all = list({"tcp:192.0.2.1:7", "tcp:192.0.2.2:7", "tcp:192.0.2.3:7"});
    all[0].is_wanted = all[1].is_wanted = false;
    resources_.sources = all;
    const auto sources = make_in_force();
    sources->take_over();
    EXPECT_EQ(sources->find(2), nullptr) << "it was gone";
    ASSERT_NE(sources->find(1), nullptr);
    (void)sources->look(Phase::as_is);
    EXPECT_TRUE(book_->escrow().find(client)->let_go());
    let_leave(client);
    (void)sources->look(Phase::as_is);
    EXPECT_EQ(sources->find(1), nullptr);
    EXPECT_NE(sources->find(3), nullptr);
}

// A connection that comes late is closed.
TEST_F(SourcesTest, OneThatIsLetGoIsNotTakenInAnyMore) {
    run("exec sleep 1000");
    const auto sources = make({"serial:/dev/null"});
    (void)sources->look(Phase::making);
    const pid_t pid = sources->find(1)->process().pid();
    children_.push_back(pid);
    auto wanted = list({"serial:/dev/null"});
    wanted[0].is_wanted = false;
    sources->follow(wanted);
    wait_for_exit(pid);
    sources->reap_children();
    (void)sources->look(Phase::making);
    EXPECT_TRUE(sources->all().empty());
    children_.clear();
}

// Another speed is another source, and the line can be opened by one at a time.
TEST_F(SourcesTest, OneWaitsForTheFormerOneAtItsPlace) {
    run(until_a_word);
    const ClientId client = admit(1);
    const auto sources = make({"serial:/dev/null,4800"});
    sources->take_over();
    auto wanted = list({"serial:/dev/null,4800", "serial:/dev/null,9600"});
    wanted[0].is_wanted = false;
    sources->follow(wanted);
    (void)sources->look(Phase::making);
    EXPECT_EQ(sources->find(2)->state(), Source::State::waiting);
    EXPECT_EQ(sources->next_look(), std::nullopt);
    let_leave(client);
    (void)sources->look(Phase::making);
    EXPECT_EQ(sources->find(1), nullptr);
    (void)sources->look(Phase::making);
    EXPECT_EQ(sources->find(2)->state(), Source::State::trying);
    children_.push_back(sources->find(2)->process().pid());
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
