// The control desk: what it answers about a server whose workers have not started yet.
#include "master/control/control_desk.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_segment.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace chatserv {
namespace {

namespace fs = std::filesystem;
using Request = ControlConnections::Request;
using nlohmann::json;

enum class Watched : uint8_t { listener = 1, channel = 2, lingering = 3, control = 4 };

class ControlDeskTest : public testing::Test {
protected:
    static Options two_workers() {
        Options options;
        options.workers = 2;
        options.max_rate_bytes = 0;
        return options;
    }
    static std::vector<Listener> one_listener() {
        std::vector<Listener> listeners;
        listeners.emplace_back(*Address::parse("127.0.0.1:0"));
        return listeners;
    }
    // A program that stands in for the worker; it is never started.
    static std::string with_a_worker_program(const fs::path& folder) {
        const fs::path program = folder / "chatserv-worker";
        std::ofstream(program) << "#!/bin/sh\n";
        fs::permissions(program, fs::perms::owner_all);
        return (folder / "chatserv").string();
    }

    json answer(Request::Kind kind, uint32_t worker = 0) {
        return json::parse(desk_.answer({.kind = kind, .worker = worker}));
    }

    const test::TemporaryDirectory folder_;
    const Options options_ = two_workers();
    SmallSegment segment_{4};
    EventQueue events_;
    ServedRecord record_{};
    ServedClock clock_{record_, std::chrono::milliseconds(100)};
    std::vector<FdPair> doorbells_;
    const WorkerProgram program_{with_a_worker_program(folder_.path())};
    ClientBook clients_{Escrow(segment_.users, 2, false), {},
        LingeringClose(events_, clock_, Watched::lingering, 3),
        {.max_rate_bytes = 0, .idle_timeout = {}}};
    Acceptor acceptor_{events_, clock_, one_listener(), Watched::listener, 0};
    WorkerPool pool_{
        program_, options_, segment_.mapping, doorbells_, events_, clock_, Watched::channel};
    Moving moving_{2, clients_.escrow()};
    Draining draining_{2, clients_.escrow(), moving_, clock_,
        [this](EntryId entry) { return served_[index_of(entry)]; }};
    Balancer balancer_{PlacementPolicy::load, 2, segment_.mapping, clients_.escrow(), moving_,
        draining_, [](EntryId) { return std::nullopt; }};
    std::array<bool, 2> served_{};
    ControlDesk desk_{events_, Watched::control, nullptr,
        {.clients = clients_,
            .acceptor = acceptor_,
            .pool = pool_,
            .moving = moving_,
            .balancer = balancer_,
            .draining = draining_,
            .entries = 2,
            .hang_limit = std::chrono::milliseconds(1500)}};
};

TEST_F(ControlDeskTest, GreetsWithWhatTheServerIs) {
    const json greeting = json::parse(desk_.greeting());
    EXPECT_EQ(greeting["event"], "hello");
    EXPECT_EQ(greeting["pid"], ::getpid());
    EXPECT_EQ(greeting["listen"][0], acceptor_.listeners().front().address().text());
    EXPECT_EQ(greeting["users"], 0);
    EXPECT_EQ(greeting["users_max"], 4);
    EXPECT_EQ(greeting["workers"], 2);
    EXPECT_EQ(greeting["hang_limit_ms"], 1500);
}

TEST_F(ControlDeskTest, CountsUsersAndSaysWhetherItAccepts) {
    (void)clients_.take_in({make_stream_pair().first, *Address::parse("192.0.2.1:1")}, EntryId{1});
    json said = answer(Request::Kind::stats);
    EXPECT_EQ(said["users"], 1);
    EXPECT_EQ(said["accepted"], 1);
    EXPECT_EQ(said["accepting"], false);
    acceptor_.start();
    EXPECT_EQ(answer(Request::Kind::stats)["accepting"], true);
    acceptor_.stop();
    EXPECT_EQ(answer(Request::Kind::stats)["accepting"], false);
}

TEST_F(ControlDeskTest, SaysWhatEachWorkerHasToDo) {
    (void)clients_.take_in({make_stream_pair().first, *Address::parse("192.0.2.1:1")}, EntryId{1});
    const json said = answer(Request::Kind::stats);
    EXPECT_EQ(said["in_use"], 1);
    EXPECT_EQ(said["load"], json::parse(R"([{"worker":1,"users":0,"awake":0.0},
        {"worker":2,"users":1,"awake":0.0}])"));
}

TEST_F(ControlDeskTest, RefusesAWorkerThatIsNotThere) {
    for (const Request::Kind kind : {Request::Kind::kill, Request::Kind::stop}) {
        EXPECT_EQ(answer(kind, 0)["reason"], "there is no worker 0");
        EXPECT_EQ(answer(kind, 3)["reason"], "there is no worker 3");
        EXPECT_EQ(answer(kind, 2)["reason"], "worker 2 is being replaced");
        EXPECT_EQ(answer(kind, 2)["event"], "refused");
    }
}

TEST_F(ControlDeskTest, DrainsAWorkerAndSaysSo) {
    for (const auto kind : {Request::Kind::drain, Request::Kind::end_drain})
        EXPECT_EQ(answer(kind, 3)["reason"], "there is no worker 3");
    EXPECT_EQ(answer(Request::Kind::drain, 2)["reason"],
        "every other worker is drained or being replaced");
    EXPECT_EQ(answer(Request::Kind::end_drain, 2)["reason"], "worker 2 is not drained");
    served_ = {true, true};
    (void)clients_.take_in({make_stream_pair().first, *Address::parse("192.0.2.1:1")}, EntryId{1});
    EXPECT_EQ(answer(Request::Kind::drain, 2),
        (json{{"event", "draining"}, {"worker", 2}, {"users", 1}}));
    EXPECT_EQ(answer(Request::Kind::drain, 2)["reason"], "worker 2 is drained already");
    EXPECT_EQ(answer(Request::Kind::stats)["drained"], json::array({2}));
    EXPECT_EQ(answer(Request::Kind::stats)["moved"], 0);
    EXPECT_EQ(answer(Request::Kind::end_drain, 2), (json{{"event", "drain_ended"}, {"worker", 2}}));
    EXPECT_EQ(answer(Request::Kind::stats)["drained"], json::array());
}

} // namespace
} // namespace chatserv
