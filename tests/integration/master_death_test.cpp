// What users see of the deaths of masters and keepers, in the situations in which a server can be
// then: it hangs, stands still, is short of descriptors, is told something, or ends altogether.
#include "config.h"
#include "shared/system/shared_table.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/control_folder.h"
#include "tests/integration/log_file_test.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <sys/resource.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

using namespace std::chrono_literals;

pid_t member_of(pid_t group, const std::string& title) {
    for (const ProcessState& member : members_of(group))
        if (member.state != 'Z' && title_of(member.pid) == title)
            return member.pid;
    return 0;
}

bool is_in_state(pid_t group, pid_t pid, char state) {
    for (const ProcessState& member : members_of(group))
        if (member.pid == pid)
            return member.state == state;
    return false;
}

class MasterDeathTest : public StatsServerTest {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "this system has no keeper";
    }

    void start_with_two(std::vector<std::string> options = {}) {
        start_with_control(std::move(options));
        if (title_of(::getpid()).empty())
            GTEST_SKIP() << "this system shows no titles";
        first_ = join();
        second_ = join();
    }

    pid_t group() const { return server_->process().pid(); }
    pid_t keeper() const { return member_of(group(), "chatserv: keeper"); }
    pid_t master() const { return member_of(group(), "chatserv: master"); }

    void stop_and_see(pid_t pid) {
        ::kill(pid, SIGSTOP);
        ASSERT_TRUE(comes_true([&] { return is_in_state(group(), pid, 'T'); }));
    }

    void talk(const std::string& words) {
        first_->send(words);
        second_->wait_for(words);
    }

    // The users, the counters and the control socket are what they were.
    void expect_that_nobody_noticed() {
        talk("still here;");
        const auto third = join();
        third->send("a newcomer;");
        second_->wait_for("a newcomer;");
        const auto said = stats();
        EXPECT_EQ(said["users"], 3);
        EXPECT_EQ(said["accepted"], 3);
        EXPECT_EQ(server_->count(" left: "), 0U);
    }

    std::unique_ptr<Client> first_;
    std::unique_ptr<Client> second_;
};

TEST_F(MasterDeathTest, AMasterThatHangsIsReplaced) {
    start_with_two({"--hang-limit", "0.5"});
    const pid_t hung = master();
    ::kill(hung, SIGSTOP);
    talk("said while it hangs;");
    server_->wait_for_line(
        "the master (pid " + std::to_string(hung) + ") did not answer for 500 ms");
    server_->wait_for_line(" carries on, with 2 users");
    EXPECT_NE(master(), hung);
    expect_that_nobody_noticed();
    EXPECT_EQ(server_->stop(), 0);
}

// Ctrl-Z, a suspended machine: the keeper stood still as well.
TEST_F(MasterDeathTest, AStopOfTheWholeGroupKillsNobody) {
    start_with_two({"--hang-limit", "0.3"});
    const pid_t before = master();
    for (int i = 0; i < 3; ++i) {
        ::kill(-group(), SIGSTOP);
        const auto end = std::chrono::steady_clock::now() + 1200ms; // the subject of this test
        while (std::chrono::steady_clock::now() < end)
            loop_.turn(10ms);
        ::kill(-group(), SIGCONT);
        talk("said after standstill " + std::to_string(i) + ";");
        EXPECT_EQ(stats()["master"], before);
    }
    EXPECT_EQ(server_->count(" died"), 0U);
    EXPECT_EQ(server_->count("did not answer"), 0U);
    expect_that_nobody_noticed();
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(MasterDeathTest, RelayingGoesOnWhileMasterAfterMasterDiesYoung) {
    start_with_two({"--workers", "2"});
    for (std::size_t death = 1; death <= 20; ++death) {
        pid_t next = 0;
        ASSERT_TRUE(comes_true([&] { return (next = master()) != 0; }));
        ::kill(next, SIGKILL);
        talk("said after death " + std::to_string(death) + ";");
        server_->wait_for_line("another one starts", death);
    }
    expect_that_nobody_noticed();
    EXPECT_EQ(server_->stop(), 0);
}

#ifdef HAVE_PRLIMIT
TEST_F(MasterDeathTest, RelayingGoesOnWhileNoDescriptorIsLeftForAMaster) {
    start_with_two();
    rlimit before{};
    ASSERT_EQ(::prlimit(keeper(), RLIMIT_NOFILE, nullptr, &before), 0);
    rlimit low = before;
    low.rlim_cur = 3; // a master has the limit of its keeper
    ASSERT_EQ(::prlimit(keeper(), RLIMIT_NOFILE, &low, nullptr), 0);
    ::kill(master(), SIGKILL);
    server_->wait_for_line("another one starts", 3); // two masters that could not begin
    talk("said while no master can begin;");
    ASSERT_EQ(::prlimit(keeper(), RLIMIT_NOFILE, &before, nullptr), 0);
    server_->wait_for_line(" carries on, with 2 users");
    ASSERT_TRUE(comes_true([&] { return master() != 0; }));
    expect_that_nobody_noticed();
    EXPECT_EQ(server_->stop(), 0);
}
#endif

TEST_F(MasterDeathTest, AStopThatComesWhileNoMasterLivesIsCarriedOut) {
    start_with_two();
    stop_and_see(keeper());
    ::kill(master(), SIGKILL);
    ASSERT_TRUE(comes_true([&] { return master() == 0; }));
    server_->process().signal(SIGTERM);
    server_->process().signal(SIGCONT);
    for (const auto* const client : {&first_, &second_}) {
        (*client)->wait_for_end();
        EXPECT_EQ((*client)->end_error(), 0);
    }
    EXPECT_EQ(server_->process().wait_for_exit(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
    EXPECT_EQ(server_->count(": stopping; 2 users"), 1U);
    EXPECT_FALSE(std::filesystem::exists(socket()));
}

class BothKilledTest : public ControlFolderTest {};

// Nobody is left to hold the connections. They must not hold anything up either.
TEST_F(BothKilledTest, NothingIsLeftBehind) {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system has no keeper";
    server_ = start_server();
    const auto clients = join_many(4);
    const pid_t group = server_->process().pid();
    const pid_t master = server_->master_pid();
    const std::string left = usual_name(*server_);
    for (const pid_t pid : {group, master}) { // so that neither can start another one
        ::kill(pid, SIGSTOP);
        ASSERT_TRUE(comes_true([&] { return is_in_state(group, pid, 'T'); }));
    }
    // The master first: when the leader of the group ends, the system continues the others.
    for (const pid_t pid : {master, group})
        ::kill(pid, SIGKILL);
    EXPECT_EQ(server_->process().wait_for_exit(), 128 + SIGKILL);
    EXPECT_TRUE(server_->process().group_is_gone()) << "its workers end by themselves";
    for (const auto& client : clients)
        client->wait_for_end();
    EXPECT_TRUE(std::filesystem::exists(in(left)));

    server_ = start_server();
    EXPECT_FALSE(std::filesystem::exists(in(left))) << "the next server clears it away";
    expect_conversation();
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

// Other programs share that, and a worker that took it for a log file could wait for its reader.
TEST_F(MasterDeathTest, LeavesTheWorkersTheirStandardError) {
    start_with_two({"--log-level", "debug"});
    ::kill(master(), SIGKILL);
    server_->wait_for_line(" carries on");
    const auto third = join(); // told to a worker after everything else on its new channel
    EXPECT_EQ(server_->count("writing to the log file"), 0U);
}

class DeathAndLogFileTest : public LogFileTest {};

TEST_F(DeathAndLogFileTest, KeeperAndEveryMasterWriteToTheLatestFile) {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system has no keeper";
    start_with_file({"--workers", "2"});
    const auto stays = join_and_find_it_in(log());
    const auto kill_master = [&] {
        ::kill(member_of(process_->pid(), "chatserv: master"), SIGKILL);
    };
    kill_master();
    wait_for(log(), " carries on, with 1 users");
    const std::filesystem::path old = log().string() + ".1";
    std::filesystem::rename(log(), old);
    process_->signal(SIGHUP);
    wait_for(log(), " master: the log file ");
    const std::string kept = text_of(old);
    kill_master();
    wait_for(log(), "another one starts");
    wait_for(log(), " carries on, with 1 users");
    const auto later = join_and_find_it_in(log());
    later->send("said after it all;");
    stays->wait_for("said after it all;");
    EXPECT_EQ(text_of(old), kept) << "nothing is written to the old file";
    EXPECT_EQ(count_in(text_of(log()), "SIGHUP"), 1U) << "once, though its master died";
    EXPECT_EQ(stop(), 0);
}

} // namespace
} // namespace chatserv::test
