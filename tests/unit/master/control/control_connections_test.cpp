// The control socket in the master: it answers requests and waits for no client.
#include "master/control/control_connections.h"

#include "tests/harness/temporary_directory.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chatserv {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

enum class Watched : uint8_t { control = 7 };
constexpr Tag tag = Watched::control;

class ControlConnectionsTest : public testing::Test {
protected:
    std::string path() const { return (folder_.path() / "control").string(); }

    UniqueFd come() {
        Connecting connecting = connect_at_once(path());
        EXPECT_EQ(connecting.error, 0);
        serve();
        return std::move(connecting.socket);
    }

    // Handles whatever has happened.
    void serve() {
        for (;;) {
            const std::span<const EventQueue::Event> events =
                events_.wait(std::chrono::nanoseconds::zero());
            if (events.empty())
                return;
            for (const EventQueue::Event& event : events)
                control_->handle(event, [](const ControlConnections::Request& request) {
                    return request.kind == ControlConnections::Request::Kind::stats
                               ? std::string("counted")
                               : "struck " + std::to_string(request.worker);
                });
        }
    }

    std::string ask(const UniqueFd& client, const std::string& request) {
        EXPECT_EQ(::write(client.get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
        serve();
        return heard(client);
    }

    static std::string heard(const UniqueFd& client) {
        std::string all;
        char bytes[4096];
        for (ssize_t got = 0; (got = ::read(client.get(), bytes, sizeof bytes)) > 0;)
            all.append(bytes, static_cast<size_t>(got));
        return all;
    }

    // After all that there was to read was read.
    static bool is_closed(const UniqueFd& client) {
        char byte = 0;
        return ::read(client.get(), &byte, 1) == 0;
    }

    void begin(std::chrono::seconds silence) {
        control_.reset();
        socket_.reset();
        socket_.emplace(path());
        control_ = std::make_unique<ControlConnections>(
            events_, tag, *socket_, [] { return "hello"; }, silence);
    }

    void SetUp() override { begin(std::chrono::hours(1)); }

    std::vector<UniqueFd> come_many(int count) {
        std::vector<UniqueFd> clients;
        while (count-- > 0) {
            clients.push_back(come());
            EXPECT_EQ(heard(clients.back()), "hello\n");
        }
        return clients;
    }

    const test::TemporaryDirectory folder_;
    EventQueue events_;
    std::optional<ControlSocket> socket_;
    std::unique_ptr<ControlConnections> control_;
};

TEST_F(ControlConnectionsTest, AnswersEachRequestInALine) {
    const UniqueFd client = come();
    EXPECT_EQ(heard(client), "hello\n");
    EXPECT_EQ(ask(client, "stats\n"), "counted\n");
    EXPECT_EQ(ask(client, "kill 3\nstop 4\n"), "struck 3\nstruck 4\n");
    EXPECT_EQ(ask(client, "stats\r\n"), "counted\n");
    EXPECT_EQ(ask(client, "sta"), "");
    EXPECT_EQ(ask(client, "ts\n"), "counted\n");
    EXPECT_THAT(ask(client, "kill everybody\n"), HasSubstr("not understood"));
    EXPECT_THAT(ask(client, "\n"), HasSubstr("not understood"));
}

TEST_F(ControlConnectionsTest, AnswersAClientThatHalfClosed) {
    const UniqueFd client = come();
    (void)heard(client);
    ASSERT_EQ(::write(client.get(), "stats", 5), 5);
    ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
    serve();
    EXPECT_EQ(heard(client), "counted\n");
    EXPECT_TRUE(is_closed(client));
    EXPECT_TRUE(events_.wait(std::chrono::nanoseconds::zero()).empty());
}

TEST_F(ControlConnectionsTest, DisconnectsAClientWhoseRequestIsTooLong) {
    const UniqueFd client = come();
    (void)heard(client);
    EXPECT_EQ(ask(client, std::string(100, 'k')), "");
    EXPECT_TRUE(is_closed(client));
}

TEST_F(ControlConnectionsTest, DisconnectsAClientThatReadsNothing) {
    const UniqueFd client = come();
    const UniqueFd other = come();
    const std::string news(10'000, 'n');
    for (int i = 0; i < 200; ++i) {
        control_->tell(news);
        (void)heard(other);
    }
    const std::string got = heard(client);
    EXPECT_LT(got.size(), 200 * news.size());
    EXPECT_TRUE(is_closed(client));
    EXPECT_EQ(ask(other, "stats\n"), "counted\n");
}

// The answer to a client that has closed its sending side is still written, and the master does not
// spin meanwhile.
TEST_F(ControlConnectionsTest, WritesTheRestToAClientThatHalfClosed) {
    const UniqueFd client = come();
    (void)heard(client);
    std::string expected;
    const std::string news(10'000, 'n');
    for (int i = 0; i < 40; ++i) {
        control_->tell(news);
        expected += news + "\n";
    }
    ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
    serve();
    std::string got;
    for (int i = 0; got.size() < expected.size() && i < 1000; ++i) {
        got += heard(client);
        serve();
    }
    EXPECT_EQ(got, expected);
    EXPECT_TRUE(is_closed(client));
}

TEST_F(ControlConnectionsTest, TellsAClientThatThereIsNoPlace) {
    std::vector<UniqueFd> clients = come_many(8);
    const UniqueFd newcomer = come();
    EXPECT_THAT(heard(newcomer), HasSubstr(R"({"event":"turned_away")"));
    EXPECT_TRUE(is_closed(newcomer));
    clients.pop_back();
    serve();
    EXPECT_EQ(heard(come()), "hello\n");
}

TEST_F(ControlConnectionsTest, GivesThePlaceOfASilentClientToAnother) {
    begin(std::chrono::seconds(0));
    std::vector<UniqueFd> clients = come_many(8);
    for (const int asks : {0, 2, 0})
        EXPECT_EQ(ask(clients[static_cast<size_t>(asks)], "stats\n"), "counted\n");
    for (const int leaver : {1, 3, 4, 5, 6, 7}) { // those without a request, the oldest first
        clients.push_back(come());
        EXPECT_EQ(ask(clients.back(), "stats\n"), "hello\ncounted\n");
        const UniqueFd& left = clients[static_cast<size_t>(leaver)];
        EXPECT_THAT(heard(left), HasSubstr(R"({"event":"turned_away")"));
        EXPECT_TRUE(is_closed(left)) << leaver;
    }
    const UniqueFd newcomer = come();
    EXPECT_THAT(heard(clients[2]), HasSubstr("turned_away"))
        << "all have asked, it the longest ago";
    EXPECT_EQ(ask(clients[0], "stats\n"), "counted\n");
}

TEST_F(ControlConnectionsTest, TellsEventsToThoseThatWatchAlone) {
    const UniqueFd watcher = come();
    const UniqueFd other = come();
    EXPECT_FALSE(control_->has_watchers());
    EXPECT_EQ(ask(watcher, "events\n"), "hello\nstruck 0\n");
    EXPECT_TRUE(control_->has_watchers());
    control_->tell_watchers("it happened");
    control_->tell("and this");
    EXPECT_EQ(heard(watcher), "it happened\n") << "the events have the rest too";
    EXPECT_EQ(heard(other), "hello\nand this\n");
    EXPECT_EQ(ask(watcher, "stats\n"), "counted\n");
    ASSERT_EQ(::shutdown(watcher.get(), SHUT_WR), 0);
    serve();
    control_->tell_watchers("it goes on");
    EXPECT_EQ(heard(watcher), "it goes on\n");
}

TEST_F(ControlConnectionsTest, AWatcherThatIsGoneIsForgotten) {
    for (const bool ends_its_input_first : {false, true}) {
        UniqueFd watcher = come();
        (void)ask(watcher, "events\n");
        if (ends_its_input_first) {
            ASSERT_EQ(::shutdown(watcher.get(), SHUT_WR), 0);
        }
        serve();
        watcher.reset();
        serve();
        control_->tell_watchers("it happened");
        EXPECT_FALSE(control_->has_watchers());
    }
}

// It reads whole lines up to the one that says why it gets no more.
TEST_F(ControlConnectionsTest, CutsOffAWatcherThatIsTooSlow) {
    const UniqueFd slow = come();
    const UniqueFd quick = come();
    (void)ask(slow, "events\n");
    (void)ask(quick, "events\n");
    const std::string event(10'000, 'e');
    for (int i = 0; i < 200; ++i) {
        control_->tell_watchers(event);
        EXPECT_EQ(heard(quick), event + "\n");
    }
    std::string got;
    for (std::string more; serve(), !(more = heard(slow)).empty();)
        got += more;
    EXPECT_TRUE(is_closed(slow));
    const size_t end = got.find('{');
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(end % (event.size() + 1), 0U) << "every line before is whole";
    EXPECT_LT(end, 200 * event.size());
    EXPECT_THAT(got.substr(end), HasSubstr(R"({"event":"cut_off","reason":)"));
    control_->tell_watchers(event);
    EXPECT_EQ(heard(quick), event + "\n");
}

TEST_F(ControlConnectionsTest, WatchersHavePlacesOfTheirOwn) {
    begin(std::chrono::seconds(0));
    std::vector<UniqueFd> watchers;
    for (int i = 0; i < 8; ++i) {
        watchers.push_back(come());
        EXPECT_EQ(ask(watchers.back(), "events\n"), "hello\nstruck 0\n");
    }
    const std::vector<UniqueFd> others = come_many(8);
    EXPECT_THAT(ask(others.back(), "events\n"), HasSubstr("eight clients watch events already"));
    const UniqueFd ninth = come(); // takes the place of one that has asked nothing
    EXPECT_EQ(ask(ninth, "stats\n"), "hello\ncounted\n");
    control_->tell_watchers("it happened");
    for (const UniqueFd& watcher : watchers)
        EXPECT_EQ(heard(watcher), "it happened\n");
}

TEST_F(ControlConnectionsTest, RestoresARemovedSocket) {
    const UniqueFd client = come();
    (void)heard(client);
    const UniqueFd waiting = connect_at_once(path()).socket; // not accepted yet
    fs::remove(path());
    control_->look();
    serve();
    EXPECT_EQ(heard(waiting), "hello\n");
    EXPECT_EQ(heard(come()), "hello\n");
    EXPECT_EQ(ask(client, "stats\n"), "counted\n");
    control_.reset();
    socket_.reset();
    EXPECT_FALSE(fs::exists(path()));
}

TEST_F(ControlConnectionsTest, LeavesTheSocketOfAnotherServerAlone) {
    const std::string other_path = (folder_.path() / "other").string();
    const NamedSocket other = listen_at(other_path);
    fs::rename(other_path, path());
    control_->look();
    EXPECT_EQ(identity_of(path()), other.file);
    control_.reset();
    EXPECT_EQ(identity_of(path()), other.file);
}

} // namespace
} // namespace chatserv
