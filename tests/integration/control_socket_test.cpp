// The path of the control socket: paths that are rejected, files that dead servers left, a cleaner
// that removes the socket, and clients that hold its connections.
#include "tests/integration/control_folder.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class ControlSocketTest : public ControlFolderTest {
protected:
    // Starts a server with this path; the server rejects it before it logs anything else.
    void expect_refusal(const std::string& path, const std::string& why) {
        const Finished finished = run(loop_,
            {{chatserv_path(), "--listen", "127.0.0.1:0", "--control", path}, environment()});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1)
            << finished.errors;
        EXPECT_THAT(
            finished.errors, AllOf(HasSubstr("--control \"" + path + "\""), HasSubstr(why)));
    }
};

TEST_F(ControlSocketTest, AStartRemovesSocketsOfDeadServers) {
    const auto first = start_server();
    const auto second = start_server();
    kill_at_once(*first);
    EXPECT_TRUE(fs::exists(socket_of(*first)));
    const auto third = start_server("none");
    EXPECT_THAT(names(), testing::ElementsAre(usual_name(*second)));
    EXPECT_EQ(ask({"stats"}).status, 0);
}

TEST_F(ControlSocketTest, AStartReplacesTheSocketOfADeadServer) {
    const auto first = start_server(in("control"));
    kill_at_once(*first);
    const auto second = start_server(in("control"));
    EXPECT_EQ(ask({"stats", "--control", in("control")}).status, 0);
    EXPECT_EQ(second->stop(), 0);
    EXPECT_THAT(names(), IsEmpty());
}

TEST_F(ControlSocketTest, RejectsAPathThatIsInUse) {
    expect_refusal(folder_.path().string(), "is a directory");
    expect_refusal(folder_.file("file", "precious"), "is not a socket");
    EXPECT_EQ(fs::file_size(in("file")), 8U);
    ASSERT_EQ(::mkfifo(in("fifo").c_str(), 0600), 0);
    expect_refusal(in("fifo"), "is not a socket");
    expect_refusal("/dev/null", "is not a socket");
    expect_refusal(in("missing/control"), "there is no folder " + in("missing"));
    expect_refusal(in("file/control"), in("file") + " is not a folder");
    const auto server = start_server(in("control"));
    expect_refusal(in("control"),
        "the chatserv with pid " + std::to_string(server->process().pid()) + " listens there");
    fs::create_symlink("control", in("link"));
    expect_refusal(in("link"), "is not a socket");
    EXPECT_EQ(ask({"stats", "--control", in("control")}).status, 0) << "it was left alone";
}

TEST_F(ControlSocketTest, RejectsThePathOfAStoppedServer) {
    const auto server = start_server(in("control"));
    ::kill(-server->process().pid(), SIGSTOP);
    expect_refusal(in("control"), "another server listens there, but it does not identify itself");
    ::kill(-server->process().pid(), SIGCONT);
}

TEST_F(ControlSocketTest, RejectsAFolderThatIsNotWritable) {
    if (::geteuid() == 0)
        GTEST_SKIP() << "root can write to any folder";
    fs::create_directory(in("closed"));
    fs::permissions(in("closed"), fs::perms::owner_read | fs::perms::owner_exec);
    expect_refusal(in("closed/control"), "this user cannot make a socket in " + in("closed"));
}

TEST_F(ControlSocketTest, ServesWithoutTheDefaultSocketWhenItCannotBeMade) {
    fs::remove(folder_.path());
    const auto server = start_server();
    EXPECT_EQ(server->count("no control socket: "), 1U);
    const Client client(loop_, server->endpoint());
    server->wait_for_join(client.address());
}

TEST_F(ControlSocketTest, IsRestoredAfterACleanerRemovedIt) {
    const auto server = start_server();
    ControlConnection before(loop_, socket_of(*server));
    before.wait_for(R"("event":"hello")");
    for (std::size_t time = 1; time <= 2; ++time) {
        fs::remove(socket_of(*server));
        server->wait_for_line("was removed, so it was made anew", time);
        EXPECT_EQ(ask({"stats"}).status, 0);
        before.ask("stats\n");
        before.wait_for(R"("event":"stats")");
    }
    EXPECT_EQ(server->stop(), 0);
    EXPECT_THAT(names(), IsEmpty());
}

TEST_F(ControlSocketTest, IsRestoredOnceItsFolderIsBack) {
    fs::create_directory(in("swept"));
    const auto server = start_server(in("swept/control"));
    fs::remove_all(in("swept"));
    const std::string line = server->wait_for_line("was removed and cannot be made anew");
    EXPECT_THAT(line, HasSubstr("there is no folder " + in("swept")));
    fs::create_directory(in("swept"));
    server->wait_for_line("was removed, so it was made anew");
    EXPECT_EQ(ask({"stats", "--control", in("swept/control")}).status, 0);
    EXPECT_EQ(server->count("cannot be made anew"), 1U);
}

TEST_F(ControlSocketTest, LeavesAnotherServersSocketAlone) {
    const auto server = start_server(in("control"));
    const NamedSocket other = listen_at(in("other"));
    fs::rename(in("other"), in("control"));
    const std::string line = server->wait_for_line("cannot be made anew");
    EXPECT_THAT(line, HasSubstr("another server listens there"));
    EXPECT_EQ(server->stop(), 0);
    EXPECT_EQ(server->count("control socket"), 1U);
    EXPECT_EQ(identity_of(in("control")), other.file);
}

TEST_F(ControlSocketTest, SilentClientsBlockNoOtherClient) {
    const auto server = start_server();
    std::vector<std::unique_ptr<ControlConnection>> silent;
    for (int i = 0; i < 8; ++i)
        silent.push_back(std::make_unique<ControlConnection>(loop_, socket_of(*server)));
    Finished stats = ask({"stats"});
    while (stats.status != 0) {
        ASSERT_EQ(stats.status, EX_UNAVAILABLE);
        ASSERT_THAT(stats.errors, HasSubstr("too many control clients"));
        stats = ask({"stats"});
    }
    const auto ended = [&] {
        return std::any_of(silent.begin(), silent.end(), [](const auto& asker) {
            return asker->heard().find(R"("event":"turned_away")") != std::string::npos;
        });
    };
    loop_.wait_until(ended, "a silent client to receive the reason");
}

TEST_F(ControlSocketTest, AFloodOfControlClientsDelaysNoUser) {
    const auto server = start_server();
    Client first(loop_, server->endpoint());
    server->wait_for_join(first.address());
    Client second(loop_, server->endpoint());
    server->wait_for_join(second.address());
    for (int i = 0; i < 500; ++i) {
        Connecting connecting = connect_at_once(socket_of(*server));
        if (connecting.error == 0)
            (void)!::write(connecting.socket.get(), "stats\nstats\n", 12);
    }
    first.send("still here");
    second.wait_for("still here");
    EXPECT_EQ(server->stop(), 0);
    EXPECT_THAT(names(), IsEmpty());
}

} // namespace
} // namespace chatserv::test
