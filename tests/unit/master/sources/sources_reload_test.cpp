// The list of a reload: sources that stay, come, and are let go step by step.
#include "master/ledger/source_names.h"
#include "tests/unit/master/sources/sources_scene.h"

#include <nlohmann/json.hpp>

namespace chatserv {
namespace {

using Phase = Sources::Phase;

class SourcesReloadTest : public SourcesScene {};

TEST_F(SourcesReloadTest, AReloadLeavesThoseAloneThatStay) {
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
TEST_F(SourcesReloadTest, AReloadLetsOneGoStepByStep) {
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

TEST_F(SourcesReloadTest, ASuccessorLetsThoseGoThatItsPredecessorHadLetGo) {
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
TEST_F(SourcesReloadTest, OneThatIsLetGoIsNotTakenInAnyMore) {
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
TEST_F(SourcesReloadTest, OneWaitsForTheFormerOneAtItsPlace) {
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

} // namespace
} // namespace chatserv
