// The master points of reloads, with real processes (MW15, MW16): the master is killed at exactly
// that instant, and the server has all of the new options all the same, or goes on with what they
// ask for.
#include "tests/crash/master_point_scene.h"
#include "tests/harness/peer_server.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

namespace chatserv::test {
namespace {

enum class Scene {
    reload,  // limits, and a listen socket in place of another
    metrics, // ... and the metrics process is renewed
    shrink,  // two workers become one
    grow,    // two workers become three
    sources, // one source is let go, and another one comes
};

struct ReloadCase {
    MasterPoint point;
    const char* name;
    Scene scene;
};

constexpr std::array cases{
    ReloadCase{MasterPoint::reload_asked, "MW15ReloadAsked", Scene::reload},
    ReloadCase{MasterPoint::reload_noted, "MW15ReloadNoted", Scene::reload},
    ReloadCase{MasterPoint::reload_committed, "MW15ReloadCommitted", Scene::reload},
    ReloadCase{MasterPoint::reload_published, "MW15ReloadPublished", Scene::reload},
    ReloadCase{MasterPoint::listener_closed, "MW15ListenerClosed", Scene::reload},
    ReloadCase{MasterPoint::reload_applied, "MW15ReloadApplied", Scene::reload},
    ReloadCase{MasterPoint::reload_ended, "MW15ReloadEnded", Scene::reload},
    ReloadCase{MasterPoint::reload_asked, "MW15MetricsAsked", Scene::metrics},
    ReloadCase{MasterPoint::reload_noted, "MW15MetricsNoted", Scene::metrics},
    ReloadCase{MasterPoint::reload_committed, "MW15MetricsCommitted", Scene::metrics},
    ReloadCase{MasterPoint::reload_published, "MW15MetricsPublished", Scene::metrics},
    ReloadCase{MasterPoint::listener_closed, "MW15MetricsEnded", Scene::metrics},
    ReloadCase{MasterPoint::reload_applied, "MW15MetricsApplied", Scene::metrics},
    ReloadCase{MasterPoint::reload_ended, "MW15MetricsReloadEnded", Scene::metrics},
    ReloadCase{MasterPoint::reload_asked, "MW15SourcesAsked", Scene::sources},
    ReloadCase{MasterPoint::reload_noted, "MW15SourcesNoted", Scene::sources},
    ReloadCase{MasterPoint::reload_committed, "MW15SourcesCommitted", Scene::sources},
    ReloadCase{MasterPoint::sources_named, "MW15SourcesNamed", Scene::sources},
    ReloadCase{MasterPoint::reload_applied, "MW15SourcesApplied", Scene::sources},
    ReloadCase{MasterPoint::reload_ended, "MW15SourcesReloadEnded", Scene::sources},
    ReloadCase{MasterPoint::source_let_go, "MW15SourceLetGo", Scene::sources},
    ReloadCase{MasterPoint::slot_freed, "MW15SourceSlotFreed", Scene::sources},
    ReloadCase{MasterPoint::client_forgotten, "MW15SourceForgotten", Scene::sources},
    ReloadCase{MasterPoint::source_ended, "MW15SourceEnded", Scene::sources},
    ReloadCase{MasterPoint::source_gone, "MW15SourceGone", Scene::sources},
    ReloadCase{MasterPoint::client_noted, "MW15SourceNoted", Scene::sources},
    ReloadCase{MasterPoint::reload_noted, "MW15FewerWorkersNoted", Scene::shrink},
    ReloadCase{MasterPoint::reload_committed, "MW16FewerWorkersCommitted", Scene::shrink},
    ReloadCase{MasterPoint::reload_applied, "MW16FewerWorkersAsked", Scene::shrink},
    ReloadCase{MasterPoint::slot_given, "MW16UserMoves", Scene::shrink},
    ReloadCase{MasterPoint::end_noted, "MW16EndNoted", Scene::shrink},
    ReloadCase{MasterPoint::exit_noted, "MW16ExitNoted", Scene::shrink},
    ReloadCase{MasterPoint::exit_reaped, "MW16ExitReaped", Scene::shrink},
    ReloadCase{MasterPoint::entry_recovered, "MW16EntryRecovered", Scene::shrink},
    ReloadCase{MasterPoint::entry_retired, "MW16EntryRetired", Scene::shrink},
    ReloadCase{MasterPoint::reload_committed, "MW16MoreWorkersCommitted", Scene::grow},
    ReloadCase{MasterPoint::entry_given, "MW16EntryGiven", Scene::grow},
    ReloadCase{MasterPoint::seat_noted, "MW16SeatNoted", Scene::grow},
    ReloadCase{MasterPoint::worker_forked, "MW16WorkerForked", Scene::grow},
};

constexpr bool every_point_has_a_case() {
    for (auto point = static_cast<unsigned>(MasterPoint::reload_asked);
         point < static_cast<unsigned>(MasterPoint::companion_exit_noted); ++point) {
        bool found = false;
        for (const ReloadCase& candidate : cases)
            found = found || static_cast<unsigned>(candidate.point) == point;
        if (!found)
            return false;
    }
    return true;
}
static_assert(every_point_has_a_case(), "a master point has no test: add it to `cases`");

constexpr const char* before = "listen = 127.0.0.1:0, 127.0.0.2:0\nworkers = 2\n";

const char* options_of(Scene scene) {
    switch (scene) {
    case Scene::reload:
        break;
    case Scene::metrics:
        return "listen = 127.0.0.1:0, 127.0.0.3:0\nworkers = 2\nusers = 5\nmax-rate = 65536\n"
               "log-level = debug\n";
    case Scene::shrink:
        return "listen = 127.0.0.1:0, 127.0.0.2:0\nworkers = 1\n";
    case Scene::grow:
        return "listen = 127.0.0.1:0, 127.0.0.2:0\nworkers = 3\n";
    case Scene::sources:
        return before; // with the sources behind it
    }
    return "listen = 127.0.0.1:0, 127.0.0.3:0\nworkers = 2\nusers = 5\nmax-rate = 65536\n";
}

const char* change_of(Scene scene) {
    switch (scene) {
    case Scene::reload:
    case Scene::metrics:
        break;
    case Scene::shrink:
        return "workers: 2 -> 1\n";
    case Scene::grow:
        return "workers: 2 -> 3\n";
    case Scene::sources:
        return "source: [\"";
    }
    return "users: 10 -> 5\n";
}

class ReloadPointTest : public MasterPointScene, public testing::WithParamInterface<ReloadCase> {
protected:
    void begin() {
        const std::string binary = build_named("CHATSERV_WITH_CRASH_POINTS");
        std::vector<std::string> options{"--config", config()};
        if (GetParam().scene == Scene::metrics) {
            if (!std::filesystem::exists(
                    std::filesystem::path(binary).parent_path() / "chatserv-metrics"))
                GTEST_SKIP() << "this build is without --metrics";
            options.insert(options.end(), {"--metrics", "127.0.0.1:0"});
        }
        configure(before);
        open(binary, options, 2);
        if (GetParam().scene == Scene::sources)
            begin_sources();
    }
    // The servers that are connected to before the reload and after it.
    void begin_sources();
    void expect_the_other_source();
    // Until this is the only source, connected.
    void wait_for_source(const std::string& name);
    // In the books, at the listen sockets and in the workers.
    void expect_the_new_options();
    // There is one metrics process, which the reload has started, and it shows every user.
    void expect_new_metrics(pid_t former);
    // So many serve, and they have all users between them.
    void expect_workers(std::size_t count);

    std::unique_ptr<PeerServer> former_;
    std::unique_ptr<PeerServer> next_;
    std::unique_ptr<PeerConnection> feed_;
};

void ReloadPointTest::wait_for_source(const std::string& name) {
    loop_.wait_until(
        [&] {
            const nlohmann::json sources = status()["sources"];
            return sources.size() == 1 && sources[0]["source"] == name &&
                   sources[0]["state"] == "connected";
        },
        "the source");
}

void ReloadPointTest::begin_sources() {
    former_ = std::make_unique<PeerServer>(loop_);
    next_ = std::make_unique<PeerServer>(loop_);
    configure(std::string(before) + "source = talk:" + former_->address() + "\n");
    EXPECT_NE(reload().find("source: "), std::string::npos);
    feed_ = former_->accept();
    wait_for_source(former_->address());
}

// The former one has left once, by itself; a connection that a dead master had not taken in was
// made again, and all hear it.
void ReloadPointTest::expect_the_other_source() {
    feed_->wait_for_end();
    wait_for_source(next_->address());
    while (next_->has_connection())
        feed_ = next_->accept();
    feed_->send("from the source;");
    everyone_but(people_.size(), "from the source;");
    everyone_speaks("with the other source");
    const nlohmann::json said = stats();
    EXPECT_EQ(said["users"], joined_ + 1) << said;
    EXPECT_EQ(said["accepted"], joined_ + 2) << said;
    EXPECT_EQ(said["left"]["source_removed"], 1) << said;
    EXPECT_EQ(said["left"]["end_of_file"], 0) << said;
    EXPECT_FALSE(former_->has_connection()) << "it was tried once more";
    for (std::size_t i = 0; i < people_.size(); ++i)
        EXPECT_EQ(people_[i].client->received(), people_[i].expected) << "user " << i;
}

void ReloadPointTest::expect_the_new_options() {
    const nlohmann::json said = status();
    EXPECT_EQ(said["users_max"], 5);
    ASSERT_EQ(said["listen"].size(), 2U) << said["listen"];
    Client late(loop_, server_->endpoint(1));
    late.wait_for_end();
    EXPECT_EQ(late.end_error(), ECONNREFUSED) << "a socket that is not wanted is still open";
    const Endpoint added(said["listen"][1].get<std::string>());
    EXPECT_EQ(said["listen"][1].get<std::string>().rfind("127.0.0.3:", 0), 0U);
    people_.push_back({std::make_unique<Client>(loop_, added)});
    ++joined_;
    say(people_.size() - 1, "a newcomer speaks;");
    send_too_fast(0);
    ++throttled_;
    Client refused(loop_, added);
    refused.wait_for_end();
    EXPECT_EQ(refused.received(), "too many users!\n");
    ++refused_;
}

void ReloadPointTest::expect_new_metrics(pid_t former) {
    nlohmann::json metrics;
    loop_.wait_until(
        [&] {
            metrics = status()["metrics"];
            return metrics["pid"] != 0 && metrics["pid"] != former;
        },
        "another metrics process");
    const std::string users = "chatserv_users " + std::to_string(joined_ - gone_) + "\n";
    loop_.wait_until(
        [&] {
            Client client(loop_, Endpoint(metrics["listen"][0].get<std::string>()));
            client.send("GET /metrics HTTP/1.1\r\nHost: chatserv\r\n\r\n");
            client.wait_for_end();
            return client.received().find(users) != std::string::npos;
        },
        "metrics with every user");
    loop_.wait_until([&] { return ::kill(former, 0) == -1; }, "the end of the former process");
}

void ReloadPointTest::expect_workers(std::size_t count) {
    loop_.wait_until(
        [&] {
            const nlohmann::json workers = status()["workers"];
            std::size_t serving = 0;
            std::size_t users = 0;
            for (const nlohmann::json& worker : workers) {
                serving += worker["state"] == "serving" ? 1 : 0;
                users += worker["users"].get<std::size_t>();
            }
            return workers.size() == count && serving == count && users == people_.size();
        },
        "as many workers as the reload has asked for");
    everyone_speaks("when the workers have changed");
}

INSTANTIATE_TEST_SUITE_P(Windows, ReloadPointTest, testing::ValuesIn(cases),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(ReloadPointTest, ASuccessorFinishesIt) {
    const auto [point, name, scene] = GetParam();
    begin();
    if (IsSkipped())
        return;
    pid_t metrics = 0;
    if (scene == Scene::metrics)
        loop_.wait_until(
            [&] { return (metrics = status()["metrics"]["pid"]) != 0; }, "the metrics process");
    arm_master(point);
    configure(
        options_of(scene) + (next_ ? "source = talk:" + next_->address() + "\n" : std::string()));
    EXPECT_NE(reload().find(change_of(scene)), std::string::npos);
    wait_for_death(point);
    everyone_speaks("after");
    if (scene == Scene::sources) {
        expect_the_other_source();
        return stop();
    }
    if (scene == Scene::shrink || scene == Scene::grow)
        expect_workers(scene == Scene::shrink ? 1 : 3);
    else
        expect_the_new_options();
    if (scene == Scene::metrics)
        expect_new_metrics(metrics);
    expect_exact_books();
    stop();
}

} // namespace
} // namespace chatserv::test
