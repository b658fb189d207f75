// The control socket's place: where it may not be, who is found there, what the dead leave, and
// what becomes of it when a cleaner removes it.
#include "tests/integration/asker.h"
#include "tests/integration/server_test.h"

#include "shared/unix_socket.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Servers and commands here know of one folder only, so that they do not see what else runs on this
// machine.
class ControlFolderTest : public ServerTest {
protected:
    using Environment = std::vector<std::pair<std::string, std::string>>;

    std::string in(const std::string& name) const { return (folder_.path() / name).string(); }

    Environment environment(const std::string& control = "") const {
        return {{"CHATSERV_CONTROL_DIR", folder_.path().string()}, {"CHATSERV_CONTROL", control}};
    }

    std::unique_ptr<Server> start_server(const std::string& control = "") {
        return std::make_unique<Server>(loop_, ServerOptions{.environment = environment(control)});
    }

    Finished ask(std::vector<std::string> words) {
        words.insert(words.begin(), chatserv_path());
        return run(loop_, {words, environment()});
    }

    static std::string usual_name(Server& server) {
        return "chatserv-" + std::to_string(server.process().pid()) + ".sock";
    }

    std::string socket_of(Server& server) const { return in(usual_name(server)); }

    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(folder_.path()))
            all.push_back(entry.path().filename().string());
        return all;
    }

    static void kill_at_once(Server& server) {
        server.process().signal(SIGKILL);
        (void)server.process().wait_for_exit();
    }

    // Tries to start a server there, which is refused before it says anything else.
    void expect_refusal(const std::string& path, const std::string& why) {
        const Finished finished = run(loop_,
            {{chatserv_path(), "--listen", "127.0.0.1:0", "--control", path}, environment()});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1)
            << finished.errors;
        EXPECT_THAT(
            finished.errors, AllOf(HasSubstr("--control \"" + path + "\""), HasSubstr(why)));
    }

    TemporaryDirectory folder_;
};

TEST_F(ControlFolderTest, FindsTheOnlyServer) {
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

TEST_F(ControlFolderTest, SaysThatNoneRuns) {
    for (const char* command : {"stats", "chaos"}) {
        const Finished finished = ask({command});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1);
        EXPECT_THAT(finished.errors, AllOf(HasSubstr("no chatserv of this user is running"),
                                         HasSubstr(folder_.path().string())));
    }
}

TEST_F(ControlFolderTest, ListsTheServersWhereThereAreSeveral) {
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
                                         HasSubstr("say which one with --pid")));
    }
    const std::string pid = std::to_string(second->process().pid());
    EXPECT_EQ(json::parse(ask({"stats", "--pid", pid}).output)["users"], 1);
    kill_at_once(*first);
    EXPECT_EQ(json::parse(ask({"stats"}).output)["users"], 1) << "the dead one is no choice";
}

TEST_F(ControlFolderTest, TakesTheServerThatTheEnvironmentNames) {
    const auto first = start_server();
    const auto second = start_server();
    const Client client(loop_, second->endpoint());
    second->wait_for_join(client.address());
    const Finished stats =
        run(loop_, {{chatserv_path(), "stats"}, environment(socket_of(*second))});
    EXPECT_EQ(stats.status, 0) << stats.errors;
    EXPECT_EQ(json::parse(stats.output)["users"], 1);
}

// Anybody can put something into /tmp that is named like a server's socket.
TEST_F(ControlFolderTest, TriesOnlySocketsOfItsOwn) {
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

TEST_F(ControlFolderTest, SaysWhatIsWrongWithThePid) {
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

TEST_F(ControlFolderTest, AStartRemovesWhatTheDeadLeft) {
    const auto first = start_server();
    const auto second = start_server();
    kill_at_once(*first);
    EXPECT_TRUE(fs::exists(socket_of(*first)));
    const auto third = start_server("none");
    EXPECT_THAT(names(), testing::ElementsAre(usual_name(*second)));
    EXPECT_EQ(ask({"stats"}).status, 0);
}

TEST_F(ControlFolderTest, AStartReplacesTheSocketOfADeadServer) {
    const auto first = start_server(in("control"));
    kill_at_once(*first);
    const auto second = start_server(in("control"));
    EXPECT_EQ(ask({"stats", "--control", in("control")}).status, 0);
    EXPECT_EQ(second->stop(), 0);
    EXPECT_THAT(names(), IsEmpty());
}

TEST_F(ControlFolderTest, RefusesAPlaceThatIsTaken) {
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

TEST_F(ControlFolderTest, RefusesAPlaceWhoseServerIsStopped) {
    const auto server = start_server(in("control"));
    server->process().signal(SIGSTOP);
    expect_refusal(in("control"), "another server listens there, and does not say which");
    server->process().signal(SIGCONT);
}

TEST_F(ControlFolderTest, RefusesAFolderThatMayNotBeWritten) {
    if (::geteuid() == 0)
        GTEST_SKIP() << "root can write to any folder";
    fs::create_directory(in("closed"));
    fs::permissions(in("closed"), fs::perms::owner_read | fs::perms::owner_exec);
    expect_refusal(in("closed/control"), "this user cannot make a socket in " + in("closed"));
}

TEST_F(ControlFolderTest, ServesWithoutAControlSocketThatNobodyAskedFor) {
    fs::remove(folder_.path());
    const auto server = start_server();
    EXPECT_EQ(server->count("no control socket: "), 1U);
    const Client client(loop_, server->endpoint());
    server->wait_for_join(client.address());
}

TEST_F(ControlFolderTest, IsMadeAnewWhereACleanerRemovedIt) {
    const auto server = start_server();
    Asker before(loop_, socket_of(*server));
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

TEST_F(ControlFolderTest, IsMadeAnewAsSoonAsItsFolderIsBack) {
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

TEST_F(ControlFolderTest, LeavesAnotherServersSocketAlone) {
    const auto server = start_server(in("control"));
    const NamedSocket other = listen_at(in("other"));
    fs::rename(in("other"), in("control"));
    const std::string line = server->wait_for_line("cannot be made anew");
    EXPECT_THAT(line, HasSubstr("another server listens there"));
    EXPECT_EQ(server->stop(), 0);
    EXPECT_EQ(server->count("control socket"), 1U);
    EXPECT_EQ(identity_of(in("control")), other.file);
}

TEST_F(ControlFolderTest, SilentClientsKeepNobodyOut) {
    const auto server = start_server();
    std::vector<std::unique_ptr<Asker>> silent;
    for (int i = 0; i < 8; ++i)
        silent.push_back(std::make_unique<Asker>(loop_, socket_of(*server)));
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
    loop_.wait_until(ended, "a silent client to be told why");
}

TEST_F(ControlFolderTest, AFloodOfControlClientsHoldsUpNobody) {
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

// Ten seconds are what a command gives to a server.
TEST_F(ControlFolderTest, AStoppedServerIsNotWaitedForForEver) {
    const auto server = start_server();
    const std::string pid = std::to_string(server->process().pid());
    Process striking(
        loop_, {{chatserv_path(), "chaos", "--rate", "1000", "--for", "3600"}, environment()});
    striking.wait_for_output("killed worker ");
    server->process().signal(SIGSTOP);
    Process found(loop_, {{chatserv_path(), "stats"}, environment()});
    Process named(loop_, {{chatserv_path(), "stats", "--pid", pid}, environment()});
    for (Process* process : {&striking, &found, &named}) {
        EXPECT_EQ(process->wait_for_exit(), EX_UNAVAILABLE);
        EXPECT_THAT(process->errors().text(), HasSubstr("does not answer"));
        EXPECT_THAT(process->errors().text(), HasSubstr(socket_of(*server)));
    }
    server->process().signal(SIGCONT);
    EXPECT_EQ(server->stop(), 0);
}

// Says something else than a chatserv would to the first that comes.
class OtherServer final : public Loop::Source {
public:
    OtherServer(Loop& loop, const std::string& path) : Source(loop), listener_(listen_at(path)) {}

    [[nodiscard]] pollfd interest() const override { return {listener_.fd.get(), POLLIN, 0}; }
    void ready(short /*events*/) override {
        accepted_ = UniqueFd(::accept(listener_.fd.get(), nullptr, nullptr));
        constexpr std::string_view nonsense = "220 mail.example.org ESMTP\r\n";
        EXPECT_EQ(::write(accepted_.get(), nonsense.data(), nonsense.size()),
            static_cast<ssize_t>(nonsense.size()));
    }

private:
    NamedSocket listener_;
    UniqueFd accepted_;
};

TEST_F(ControlFolderTest, SaysThatItIsNoChatserv) {
    const OtherServer other(loop_, in("other"));
    for (const char* command : {"stats", "chaos"}) {
        const Finished finished = ask({command, "--control", in("other")});
        EXPECT_EQ(finished.status, EX_UNAVAILABLE);
        EXPECT_THAT(finished.errors, HasSubstr("is not a chatserv's"));
    }
}

TEST_F(ControlFolderTest, SaysThatItsOutputIsNotTaken) {
    const auto server = start_server();
    std::vector<std::string> scripts{
        R"("$0" stats >&-)", R"("$0" chaos --for 0 >&-)", R"("$0" stats --help >&-)"};
    if (fs::exists("/dev/full"))
        scripts.insert(scripts.end(), {R"("$0" stats >/dev/full)", R"("$0" chaos >/dev/full)"});
    for (const std::string& script : scripts) {
        const Finished finished =
            run(loop_, {{"sh", "-c", script, chatserv_path()}, environment()});
        EXPECT_EQ(finished.status, EX_IOERR) << script;
        EXPECT_THAT(finished.errors, HasSubstr("cannot write to standard output: ")) << script;
    }
}

} // namespace
} // namespace chatserv::test
