// UNIX sockets that users come to: --listen unix:PATH.
#include "shared/system/shared_table.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/netcat.h"
#include "tests/integration/reload_test.h"

#include <csignal>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

class UnixListenTest : public ReloadTest {
protected:
    void SetUp() override {
        if (const std::string reason = why_unusable(loop_, openbsd_netcat()); !reason.empty())
            GTEST_SKIP() << reason;
    }

    [[nodiscard]] std::string path() const { return folder_.path().string() + "/door"; }

    void start_at_path(
        const std::string& role = "", std::vector<std::string> options = {"--workers", "2"}) {
        options.insert(options.end(), {"--listen", role + "unix:" + path(), "--control", socket()});
        start(options);
        server_->wait_for_line("listening on unix:" + path());
    }

    // A user at the path, who has joined.
    std::unique_ptr<Process> new_user() {
        const std::size_t joined = server_->count(" joined from ");
        auto user = std::make_unique<Process>(loop_, Command{{"nc", "-U", path()}});
        server_->wait_for_line(" joined from unix:pid=" + std::to_string(user->pid()));
        EXPECT_EQ(server_->count(" joined from "), joined + 1);
        return user;
    }

    void expect_to_talk(Process& one, Process& other, const std::string& words) {
        one.type(words + "\n");
        other.wait_for_output(words + "\n");
        other.type(words + " too\n");
        one.wait_for_output(words + " too\n");
    }

    [[nodiscard]] bool sleeps(pid_t pid) const {
        for (const ProcessState& member : members_of(server_->process().pid()))
            if (member.pid == pid)
                return member.state == 'S';
        return false;
    }

    [[nodiscard]] bool is_socket() const {
        struct stat info {};
        return ::lstat(path().c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
    }

    // A socket at which nobody listens any more.
    void leave_a_stale_socket() const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }

    Finished start_in_vain(const std::string& listen) {
        return run(loop_, {{chatserv_path(), "--listen", listen, "--control", "none"}});
    }
};

TEST_F(UnixListenTest, ItsUsersTalkToAllOthers) {
    start_at_path();
    const auto alice = new_user();
    const auto bob = new_user();
    const auto carol = join();
    expect_to_talk(*alice, *bob, "hello");
    carol->wait_for("hello\nhello too\n");
    carol->send("hello from afar\n");
    alice->wait_for_output("hello from afar\n");
    alice->end_input();
    alice->signal(SIGINT);
    alice->wait_for_exit();
    server_->wait_for_line("user 0 left: ");
}

TEST_F(UnixListenTest, TheFileIsForThoseThatTheModeNamesAndGoesWithTheServer) {
    start_at_path("", {"--unix-mode", "0620", "--unix-group", std::to_string(::getegid())});
    struct stat info {};
    ASSERT_EQ(::lstat(path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0620U);
    EXPECT_EQ(info.st_gid, ::getegid());
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_FALSE(is_socket());
}

TEST_F(UnixListenTest, AStaleSocketIsReplaced) {
    leave_a_stale_socket();
    start_at_path();
    const auto alice = new_user();
    const auto bob = new_user();
    expect_to_talk(*alice, *bob, "hello");
}

TEST_F(UnixListenTest, ALiveSocketAndAnotherFileAreRefused) {
    start_at_path();
    const Finished second = start_in_vain("unix:" + path());
    EXPECT_EQ(second.status, EX_UNAVAILABLE);
    EXPECT_NE(second.errors.find("cannot listen on unix:" + path() +
                                 ": another server listens there; stop it, or choose another"),
        std::string::npos)
        << second.errors;
    const std::string file = folder_.file("text", "not a socket");
    const Finished third = start_in_vain("unix:" + file);
    EXPECT_EQ(third.status, EX_UNAVAILABLE);
    EXPECT_NE(third.errors.find("another file is there"), std::string::npos) << third.errors;
    EXPECT_TRUE(std::filesystem::is_regular_file(file));
    const Finished fourth = start_in_vain("unix:" + folder_.path().string() + "/missing/door");
    EXPECT_EQ(fourth.status, EX_UNAVAILABLE) << fourth.errors;
    const auto alice = new_user();
    const auto bob = new_user();
    expect_to_talk(*alice, *bob, "the first server goes on");
}

TEST_F(UnixListenTest, ItHasARoleAsOthersHave) {
    start_at_path("listen:");
    const auto listener = new_user();
    listener->end_input();
    const auto talker = join();
    talker->send("hello\n");
    listener->wait_for_output("hello\n");
    EXPECT_EQ(server_->count(", only to listen"), 1U);
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(UnixListenTest, TheLogSaysWhatADeathCosts) {
    start_at_path();
    server_->wait_for_line("the kernel does not count what is written to UNIX sockets");
}

// Nothing is in flight then.
TEST_F(UnixListenTest, ADrainLosesNobody) {
    start_at_path();
    const auto alice = new_user();
    const auto bob = new_user();
    for (unsigned round = 0; round < 6; ++round) {
        const std::string worker = std::to_string(round % 2 + 1);
        const Finished drained =
            run(loop_, {{chatserv_path(), "drain", worker, "--control", socket()}});
        EXPECT_EQ(drained.status, 0) << drained.errors;
        expect_to_talk(*alice, *bob, "round " + worker + std::to_string(round));
        const Finished ended =
            run(loop_, {{chatserv_path(), "drain", worker, "--end", "--control", socket()}});
        EXPECT_EQ(ended.status, 0) << ended.errors;
    }
    EXPECT_EQ(server_->count(" left: "), 0U);
}

// A worker that sleeps has no client in doubt.
TEST_F(UnixListenTest, ADeathOfASleepingWorkerLosesNobody) {
    start_at_path("", {"--workers", "1", "--spares", "2"});
    const auto alice = new_user();
    const auto bob = new_user();
    for (std::size_t deaths = 1; deaths <= 5; ++deaths) {
        expect_to_talk(*alice, *bob, "life " + std::to_string(deaths));
        const pid_t worker = server_->worker_pids().at(0);
        ASSERT_TRUE(comes_true([&] { return sleeps(worker); }));
        ::kill(worker, SIGKILL);
        server_->wait_for_line("worker 1 taken over by pid", deaths);
    }
    expect_to_talk(*alice, *bob, "after all");
    EXPECT_EQ(server_->count(" left: "), 0U);
}

TEST_F(UnixListenTest, TheNextMasterHasItAndItsUsers) {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system has no keeper";
    start_at_path();
    const auto alice = new_user();
    for (std::size_t deaths = 1; deaths <= 3; ++deaths) {
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line("carries on", deaths);
        EXPECT_TRUE(is_socket());
        const auto bob = new_user();
        expect_to_talk(*alice, *bob, "master " + std::to_string(deaths));
    }
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_FALSE(is_socket());
}

TEST_F(UnixListenTest, AReloadOpensAndClosesIt) {
    start_configured("listen = 127.0.0.1:0\n", {}, {});
    configure("listen = 127.0.0.1:0, unix:" + path() + "\n");
    EXPECT_EQ(reload().status, 0);
    server_->wait_for_line("listening on unix:" + path());
    const auto alice = new_user();
    const auto bob = new_user();
    expect_to_talk(*alice, *bob, "hello");
    configure("listen = 127.0.0.1:0, listen:unix:" + path() + "\n");
    EXPECT_EQ(reload().status, 0);
    EXPECT_TRUE(is_socket());
    const auto carol = new_user();
    server_->wait_for_line(", only to listen");
    expect_to_talk(*alice, *bob, "those who were there go on");
    carol->wait_for_output("those who were there go on too\n");
    configure("listen = 127.0.0.1:0\n");
    EXPECT_EQ(reload().status, 0);
    server_->wait_for_line("unix:" + path() + " is closed");
    EXPECT_FALSE(is_socket());
    expect_to_talk(*alice, *bob, "still here");
}

} // namespace
} // namespace chatserv::test
