// A reload brings sources and lets others go. Those that stay do not notice, and nothing that
// others said is lost, whoever dies meanwhile.
#include "tests/harness/peer_server.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/reload_test.h"
#include "tests/integration/serial_device.h"

#include <csignal>
#include <gmock/gmock.h>
#include <sysexits.h>

namespace chatserv::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ReloadSourcesTest : public ReloadTest {
protected:
    // `sources`: as the value of the option.
    static std::string config_of(const std::string& sources, const std::string& more = "") {
        return (sources.empty() ? "" : "source = [" + sources + "]\n") + more;
    }
    void start_with(const std::string& text) { start_configured(text, {"--workers", "2"}); }
    std::string reload_to(const std::string& text) {
        configure(text);
        const Finished finished = reload();
        EXPECT_EQ(finished.status, EX_OK) << finished.errors;
        return finished.output;
    }
    json sources() {
        const Finished finished = run(
            loop_, {{chatserv_path(), "status", "--json", "--interval=0", "--control", socket()}});
        EXPECT_EQ(finished.status, EX_OK) << finished.errors;
        return json::parse(finished.output).at("sources");
    }
    // Until there are these, all of them connected.
    void wait_for_sources(const std::vector<std::string>& names) {
        json said;
        EXPECT_TRUE(comes_true([&] {
            said = sources();
            bool all = said.size() == names.size();
            for (std::size_t i = 0; all && i < names.size(); ++i)
                all = said[i]["source"] == names[i] && said[i]["state"] == "connected";
            return all;
        })) << said;
    }
    void wait_until_gone(const PeerServer& peer, std::size_t times = 1) {
        server_->wait_for_line(
            "source " + peer.address() + " is gone: it is not in the configuration any more",
            times);
    }
    bool has_keeper() { return server_->master_pid() != server_->keeper_pid(); }
    void kill_master() {
        const std::size_t before = server_->count(" carries on, with ");
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with ", before + 1);
    }
    void stop() {
        EXPECT_EQ(server_->stop(), 0);
        EXPECT_TRUE(server_->process().group_is_gone());
    }

    PeerServer a_{loop_};
    PeerServer b_{loop_};
};

TEST_F(ReloadSourcesTest, OneComesAndOneGoes) {
    start_with(config_of(""));
    const auto user = join();
    EXPECT_EQ(reload_to(config_of(a_.address())), "source: none -> [\"" + a_.address() + "\"]\n");
    const auto first = a_.accept();
    wait_for_sources({a_.address()});
    first->send("the first;");
    user->wait_for("the first;");
    (void)reload_to(config_of(a_.address() + ", " + b_.address()));
    const auto second = b_.accept();
    wait_for_sources({a_.address(), b_.address()});
    second->send("the second;");
    user->wait_for("the second;");
    (void)reload_to(config_of(b_.address()));
    first->wait_for_end();
    wait_until_gone(a_);
    server_->wait_for_line(" left: its source is not in the configuration any more");
    wait_for_sources({b_.address()});
    second->send("goes on;");
    user->wait_for("goes on;");
    EXPECT_EQ(first->received(), "") << "nobody has sent it a word";
    EXPECT_EQ(user->received(), "the first;the second;goes on;");
    EXPECT_EQ(stats()["left"]["source_removed"], 1);
    EXPECT_EQ(server_->count("source " + b_.address() + " is connected"), 1U);
    EXPECT_FALSE(a_.has_connection()) << "it was tried once more";
    stop();
}

TEST_F(ReloadSourcesTest, OneThatComesBackIsMadeAgain) {
    start_with(config_of("talk:" + a_.address()));
    const auto user = join();
    for (std::size_t times = 1; times <= 3; ++times) {
        const auto feed = a_.accept();
        wait_for_sources({a_.address()});
        feed->send("here;");
        user->wait_for_bytes(times * 5);
        (void)reload_to(config_of(""));
        feed->wait_for_end();
        wait_until_gone(a_, times);
        EXPECT_EQ(sources().size(), 0U);
        (void)reload_to(config_of("talk:" + a_.address()));
    }
    stop();
}

// Another role is another source.
TEST_F(ReloadSourcesTest, AnotherRoleMakesItAnew) {
    start_with(config_of(a_.address()));
    const auto user = join();
    const auto former = a_.accept();
    wait_for_sources({a_.address()});
    EXPECT_EQ(reload_to(config_of("talk:" + a_.address())),
        "source: [\"" + a_.address() + "\"] -> [\"talk:" + a_.address() + "\"]\n");
    former->wait_for_end();
    const auto next = a_.accept();
    wait_for_sources({a_.address()});
    user->send("hello;");
    next->wait_for("hello;");
    EXPECT_EQ(sources()[0]["role"], "talk");
    stop();
}

// All that was said until then, although it is far behind.
TEST_F(ReloadSourcesTest, OneThatOnlyHearsHasAllThatWasSaidBefore) {
    start_with(config_of("listen:" + a_.address()));
    const UniqueFd sink = a_.accept_fd();
    wait_for_sources({a_.address()});
    const auto sender = join();
    const auto witness = join();
    const std::string text = numbered_lines(3'000'000);
    sender->send(text);
    witness->wait_for_bytes(text.size());
    (void)reload_to(config_of(""));
    PeerConnection reader(loop_, UniqueFd(::dup(sink.get())));
    reader.wait_for_end();
    EXPECT_TRUE(reader.received() == text) << reader.received().size();
    wait_until_gone(a_);
    stop();
}

// Of the three values, the list is put in force at once, the other two for later connections.
TEST_F(ReloadSourcesTest, SilenceAndGreetingAreThoseOfLaterConnections) {
    start_with(config_of(a_.address(), "source-greeting = one\n"));
    const auto user = join();
    auto feed = a_.accept();
    feed->wait_for("one");
    wait_for_sources({a_.address()});
    (void)reload_to(config_of(
        a_.address() + ", " + b_.address(), "source-greeting = two\nsource-silence = 0.1\n"));
    const auto silent_twice = [&](std::size_t times) {
        for (std::size_t i = 0; i < times; ++i)
            b_.accept()->wait_for_end();
    };
    const auto other = b_.accept();
    other->wait_for("two");
    other->wait_for_end();
    silent_twice(1);
    if (has_keeper()) {
        kill_master();
        silent_twice(2);
    }
    feed->send("still here;");
    user->wait_for("still here;");
    EXPECT_EQ(feed->received(), "one");
    EXPECT_EQ(server_->count("source " + a_.address() + " is not connected"), 0U);
    feed->end();
    feed->wait_for_end();
    feed = a_.accept();
    feed->wait_for("two");
    feed->wait_for_end(); // as it is silent
    stop();
}

TEST_F(ReloadSourcesTest, WhatCannotBeChangesNothing) {
    start_with(config_of(a_.address()));
    const auto feed = a_.accept();
    wait_for_sources({a_.address()});
    const auto expect_refusal = [&](const std::string& text, const std::string& why) {
        configure(text);
        const Finished finished = reload();
        EXPECT_EQ(finished.status, EX_USAGE);
        EXPECT_THAT(finished.errors, HasSubstr(why));
    };
    expect_refusal(config_of(b_.address() + ", " + b_.address()), "twice; name it once");
    std::string many = "file:/1";
    for (int i = 2; i <= 17; ++i)
        many += ", file:/" + std::to_string(i);
    expect_refusal(config_of(many, "users = 3\n"), "there are 17 sources: at most 16 are possible");
    wait_for_sources({a_.address()});
    EXPECT_EQ(stats()["users_max"], 10);
    const auto user = join();
    feed->send("as before;");
    user->wait_for("as before;");
    stop();
}

// A line is opened by one process at a time: the next one waits for the former one's end.
TEST_F(ReloadSourcesTest, ALineGetsAnotherSpeed) {
    SerialDevice device(folder_.path() / "line");
    start_with(config_of("\"serial:" + device.path() + ",4800\""));
    const auto user = join();
    server_->wait_for_line("4800 is connected: user ");
    (void)reload_to(config_of("\"serial:" + device.path() + ",9600\""));
    server_->wait_for_line("9600 is connected: user ");
    EXPECT_EQ(server_->count("is not connected"), 0U);
    EXPECT_EQ(server_->count("4800 is gone"), 1U) << "before the next one was opened";
    device.attach(loop_);
    device.say("from the line;");
    user->wait_for("from the line;");
    stop();
}

TEST_F(ReloadSourcesTest, AMasterThatDiesHasASuccessorWithTheNewSources) {
    start_with(config_of(a_.address()));
    if (!has_keeper())
        GTEST_SKIP() << "this system has no keeper";
    const auto user = join();
    const auto first = a_.accept();
    wait_for_sources({a_.address()});
    (void)reload_to(config_of(a_.address() + ", " + b_.address()));
    auto second = b_.accept();
    wait_for_sources({a_.address(), b_.address()});
    kill_master();
    wait_for_sources({a_.address(), b_.address()});
    second->end();
    second = b_.accept();
    second->send("made again by the next one;");
    user->wait_for("made again by the next one;");
    (void)reload_to(config_of(b_.address()));
    kill_master();
    first->wait_for_end();
    wait_for_sources({b_.address()});
    second->send("alone;");
    user->wait_for("alone;");
    EXPECT_EQ(server_->count("source " + a_.address() + " is connected"), 1U);
    stop();
}

// Users speak all the time; sources come and go, and workers and masters die in between.
TEST_F(ReloadSourcesTest, FortyReloadsUnderLoadLoseNothing) {
    start_with(config_of(a_.address()));
    const bool kept = has_keeper();
    const auto first = a_.accept();
    wait_for_sources({a_.address()});
    const auto sender = join();
    const auto reader = join();
    std::string sent;
    std::string said;
    std::vector<std::unique_ptr<PeerConnection>> feeds;
    for (unsigned times = 0; times < 40; ++times) {
        configure(
            config_of(times % 2 == 0 ? a_.address() + ", listen:" + b_.address() : a_.address()));
        Process command(loop_, reload_command());
        if (times % 10 == 4)
            ::kill(server_->worker_pids()[times % 2], SIGKILL);
        if (times % 10 == 9 && kept)
            kill_master_if_there();
        while (!command.exited()) {
            if (sender->is_sent() && first->is_sent()) {
                const std::string line = std::to_string(sent.size()) + "\n";
                sender->send(line);
                sent += line;
                first->send("f" + line);
                said += "f" + line;
            }
            loop_.turn(std::chrono::milliseconds(1));
        }
        ASSERT_EQ(command.wait_for_exit(), EX_OK) << command.errors().text();
        while (b_.has_connection())
            feeds.push_back(b_.accept());
    }
    sender->wait_for_bytes(said.size());
    reader->wait_for_bytes(said.size() + sent.size());
    EXPECT_TRUE(sender->received() == said);
    std::string from_sender;
    std::string from_source;
    std::string line;
    for (const char byte : reader->received()) {
        line += byte;
        if (byte != '\n')
            continue;
        (line[0] == 'f' ? from_source : from_sender) += line;
        line.clear();
    }
    EXPECT_TRUE(from_sender == sent);
    EXPECT_TRUE(from_source == said);
    EXPECT_EQ(server_->count("source " + a_.address() + " is not connected"), 0U);
    wait_for_sources({a_.address()});
    stop();
}

} // namespace
} // namespace chatserv::test
