// How `chatserv stats`, `chatserv drain` and `chatserv chaos` find a server, and their messages
// when they find none.
#include "tests/integration/control_folder.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

using ServerFinderTest = ControlFolderTest;

TEST_F(ServerFinderTest, FindsTheOnlyServer) {
    const auto server = start_server();
    EXPECT_THAT(names(), testing::ElementsAre(usual_name(*server)));
    const Finished stats = ask({"stats"});
    EXPECT_EQ(stats.status, 0) << stats.errors;
    EXPECT_EQ(json::parse(stats.output)["users_max"], 10);
    const Finished chaos = ask({"chaos", "--for=0"});
    EXPECT_EQ(chaos.status, 0) << chaos.errors;
    EXPECT_THAT(chaos.output, HasSubstr("0 killed, 0 stopped"));
    EXPECT_EQ(server->stop(), 0);
    EXPECT_THAT(names(), IsEmpty());
}

TEST_F(ServerFinderTest, ReportsThatNoServerRuns) {
    for (const char* command : {"stats", "chaos"}) {
        const Finished finished = ask({command});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1);
        EXPECT_THAT(finished.errors, AllOf(HasSubstr("no chatserv of this user is running"),
                                         HasSubstr(folder_.path().string())));
    }
}

TEST_F(ServerFinderTest, ListsTheServersWhenThereAreSeveral) {
    const auto first = start_server();
    const auto second = start_server();
    const Client client(loop_, second->endpoint());
    second->wait_for_join(client.address());
    for (const char* command : {"stats", "chaos"}) {
        const Finished finished = ask({command});
        EXPECT_EQ(finished.status, EX_USAGE);
        EXPECT_EQ(finished.output, "");
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 3);
        for (Server* server : {first.get(), second.get()})
            EXPECT_THAT(finished.errors,
                AllOf(HasSubstr("pid " + std::to_string(server->process().pid()) + " "),
                    HasSubstr(socket_of(*server)), HasSubstr(server->endpoint().text())));
        EXPECT_THAT(finished.errors, AllOf(HasSubstr("0 of 10 users"), HasSubstr("1 of 10 users"),
                                         HasSubstr("choose one with --pid")));
    }
    const std::string pid = std::to_string(second->process().pid());
    EXPECT_EQ(json::parse(ask({"stats", "--pid", pid}).output)["users"], 1);
    kill_at_once(*first);
    EXPECT_EQ(json::parse(ask({"stats"}).output)["users"], 1) << "the dead one is no choice";
}

TEST_F(ServerFinderTest, UsesTheServerThatTheEnvironmentNames) {
    const auto first = start_server();
    const auto second = start_server();
    const Client client(loop_, second->endpoint());
    second->wait_for_join(client.address());
    const Finished stats =
        run(loop_, {{chatserv_path(), "stats"}, environment(socket_of(*second))});
    EXPECT_EQ(stats.status, 0) << stats.errors;
    EXPECT_EQ(json::parse(stats.output)["users"], 1);
}

// Any user can put a file into /tmp that is named like a server's socket.
TEST_F(ServerFinderTest, TriesOnlySocketsOfItsOwnUser) {
    const auto server = start_server();
    (void)folder_.file("chatserv-1.sock", "");
    fs::create_symlink(usual_name(*server), in("chatserv-2.sock"));
    EXPECT_EQ(ask({"stats"}).status, 0);
    if (::geteuid() != 0)
        return; // only root can give a file away
    const NamedSocket planted = listen_at(in("chatserv-3.sock"));
    ASSERT_EQ(::chown(in("chatserv-3.sock").c_str(), 65534, 65534), 0);
    EXPECT_EQ(ask({"stats"}).status, 0);
    const Finished asked_for = ask({"stats", "--pid", "3"});
    EXPECT_EQ(asked_for.status, EX_UNAVAILABLE);
    EXPECT_THAT(asked_for.errors, HasSubstr("belongs to another user"));
}

TEST_F(ServerFinderTest, ReportsABadPid) {
    const auto server = start_server();
    kill_at_once(*server);
    const std::string pid = std::to_string(server->process().pid());
    const Finished dead = ask({"stats", "--pid", pid});
    EXPECT_EQ(dead.status, EX_UNAVAILABLE);
    EXPECT_THAT(dead.errors, HasSubstr("there is no process " + pid));
    const Finished other = ask({"stats", "--pid", std::to_string(::getpid())});
    EXPECT_EQ(other.status, EX_UNAVAILABLE);
    EXPECT_THAT(other.errors, HasSubstr("has no control socket"));
}

// A command waits ten seconds for a server.
TEST_F(ServerFinderTest, GivesUpOnAStoppedServer) {
    const auto server = start_server();
    const std::string pid = std::to_string(server->process().pid());
    Process striking(
        loop_, {{chatserv_path(), "chaos", "--rate", "1000", "--for", "3600"}, environment()});
    striking.wait_for_output("killed worker ");
    ::kill(-server->process().pid(), SIGSTOP);
    Process found(loop_, {{chatserv_path(), "stats"}, environment()});
    Process named(loop_, {{chatserv_path(), "stats", "--pid", pid}, environment()});
    for (Process* process : {&striking, &found, &named}) {
        EXPECT_EQ(process->wait_for_exit(), EX_UNAVAILABLE);
        EXPECT_THAT(process->errors().text(), HasSubstr("does not answer"));
        EXPECT_THAT(process->errors().text(), HasSubstr(socket_of(*server)));
    }
    ::kill(-server->process().pid(), SIGCONT);
    EXPECT_EQ(server->stop(), 0);
}

// Sends its first client what it was made with.
class OtherServer final : public Loop::Source {
public:
    OtherServer(Loop& loop, const std::string& path, std::string words) :
        Source(loop), listener_(listen_at(path)), words_(std::move(words)) {}

    [[nodiscard]] pollfd interest() const override { return {listener_.fd.get(), POLLIN, 0}; }
    void ready(short /*events*/) override {
        accepted_ = UniqueFd(::accept(listener_.fd.get(), nullptr, nullptr));
        EXPECT_EQ(::write(accepted_.get(), words_.data(), words_.size()),
            static_cast<ssize_t>(words_.size()));
    }

private:
    NamedSocket listener_;
    std::string words_;
    UniqueFd accepted_;
};

// A keeper that took office later has not the pid in the name of the socket.
TEST_F(ServerFinderTest, FindsAServerByThePidThatItHasNow) {
    const OtherServer other(loop_, in("chatserv-4000001.sock"),
        R"({"event":"hello","pid":4000002,"workers":2,"hang_limit_ms":2000}
{"event":"stats","users":7}
)");
    const Finished finished = ask({"stats", "--pid", "4000002"});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    EXPECT_THAT(finished.output, HasSubstr(R"("users":7)"));
}

TEST_F(ServerFinderTest, ReportsASocketOfAnotherProgram) {
    const OtherServer other(loop_, in("other"), "220 mail.example.org ESMTP\r\n");
    for (const char* command : {"stats", "chaos"}) {
        const Finished finished = ask({command, "--control", in("other")});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_THAT(finished.errors, HasSubstr("is not a chatserv"));
    }
    EXPECT_THAT(
        ask({"drain", "1", "--control", in("other")}).errors, HasSubstr("is not a chatserv"));
}

TEST_F(ServerFinderTest, ReportsThatItsOutputCannotBeWritten) {
    const auto server = start_server();
    std::vector<std::string> scripts{R"("$0" stats >&-)", R"("$0" chaos --for 0 >&-)",
        R"("$0" stats --help >&-)", R"("$0" --help >&-)", R"("$0" --check-config >&-)"};
    if (fs::exists("/dev/full"))
        scripts.insert(scripts.end(), {R"("$0" stats >/dev/full)", R"("$0" chaos >/dev/full)"});
    for (const std::string& script : scripts) {
        const Finished finished =
            run(loop_, {{"sh", "-c", script, chatserv_path()}, environment()});
        EXPECT_EQ(finished.status, EX_IOERR) << script;
        EXPECT_THAT(finished.errors, HasSubstr("standard output: ")) << script;
    }
}

} // namespace
} // namespace chatserv::test
