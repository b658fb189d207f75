// The control desk: what it answers about a server whose workers have not started yet.
#include "tests/unit/master/control/control_desk_test.h"

#include "shared/system/logging.h"

#include <unistd.h>

namespace chatserv {
namespace {

TEST_F(ControlDeskTest, GreetsWithWhatTheServerIs) {
    const json greeting = json::parse(desk_.greeting());
    EXPECT_EQ(greeting["event"], "hello");
    EXPECT_EQ(greeting["pid"], 4711);
    EXPECT_EQ(greeting["master"], ::getpid());
    EXPECT_EQ(greeting["listen"][0], acceptor_.listeners().front().address().text());
    EXPECT_EQ(greeting["users"], 0);
    EXPECT_EQ(greeting["users_max"], 4);
    EXPECT_EQ(greeting["workers"], 2);
    EXPECT_EQ(greeting["hang_limit_ms"], 1500);
}

TEST_F(ControlDeskTest, UpgradesNotWhileTheServerIsAgainstIt) {
    EXPECT_EQ(answer(Request::Kind::upgrade)["reason"], "it is Sunday");
    const json status = answer(Request::Kind::upgrade_status);
    EXPECT_EQ(status["event"], "upgrade_status");
    EXPECT_EQ(status["step"], "none");
    EXPECT_EQ(status["number"], 0);
}

TEST_F(ControlDeskTest, CountsUsersAndSaysWhetherItAccepts) {
    (void)clients_.take_in(
        {newcomer(make_stream_pair().first), *Address::parse("192.0.2.1:1")}, EntryId{1});
    json said = answer(Request::Kind::stats);
    EXPECT_EQ(said["pid"], 4711);
    EXPECT_EQ(said["master"], ::getpid());
    EXPECT_EQ(said["users"], 1);
    EXPECT_EQ(said["accepted"], 1);
    EXPECT_EQ(said["accepting"], false);
    acceptor_.start();
    EXPECT_EQ(answer(Request::Kind::stats)["accepting"], true);
    acceptor_.stop(clients_.newcomers());
    EXPECT_EQ(answer(Request::Kind::stats)["accepting"], false);
}

TEST_F(ControlDeskTest, SaysWhatEachWorkerHasToDo) {
    (void)clients_.take_in(
        {newcomer(make_stream_pair().first), *Address::parse("192.0.2.1:1")}, EntryId{1});
    const json said = answer(Request::Kind::stats);
    EXPECT_EQ(said["in_use"], 1);
    EXPECT_EQ(said["load"], json::parse(R"([{"worker":1,"users":0,"awake":0.0},
        {"worker":2,"users":1,"awake":0.0}])"));
}

TEST_F(ControlDeskTest, ListsUsersWithTheirTraffic) {
    const ClientId talker = take_in("192.0.2.1:1");
    const ClientId reader = take_in("[2001:db8::1]:2", EntryId{0});
    segment_.stage(talker, "eleven byte", EntryId{1});
    ASSERT_TRUE(segment_.publish(EntryId{1}));
    move_cursor(segment_.users[reader.slot], {.bytes_written = 4, .log_offset = 4});
    const json said = users();
    EXPECT_EQ(said["event"], "users");
    EXPECT_EQ(said["next"], nullptr);
    ASSERT_EQ(said["users"].size(), 2U);
    json first = said["users"][0];
    EXPECT_GT(first["since_ms"], 1'700'000'000'000);
    first.erase("since_ms");
    EXPECT_EQ(first,
        json::parse(R"({"slot":0,"generation":1,"address":"192.0.2.1:1","name":null,"role":"talk",
        "source":null,"worker":2,"bytes_in":11,"bytes_out":0,"backlog":11})"));
    EXPECT_EQ(said["users"][1]["address"], "[2001:db8::1]:2");
    EXPECT_EQ(said["users"][1]["bytes_out"], 4);
    EXPECT_EQ(said["users"][1]["backlog"], 7);
    EXPECT_EQ(users(1)["users"].size(), 1U);
    EXPECT_EQ(users(2)["users"], json::array());
    EXPECT_EQ(users(~0U)["users"], json::array());
}

// The slot has the numbers of its former client until a worker attaches the next one.
TEST_F(ControlDeskTest, ShowsNothingOfAFormerUser) {
    const ClientId former = take_in("192.0.2.1:1");
    segment_.users[former.slot].bytes_read = 100;
    clients_.release_client(former, {LeaveReason::end_of_file});
    EXPECT_EQ(users()["users"], json::array());
    (void)clients_.take_in(
        {newcomer(make_stream_pair().first), *Address::parse("192.0.2.2:1")}, EntryId{1});
    EXPECT_EQ(users()["users"][0]["generation"], 2);
    EXPECT_EQ(users()["users"][0]["bytes_in"], 0);
}

TEST_F(ControlDeskTest, ShowsTheServer) {
    const ClientId talker = take_in("192.0.2.1:1");
    const ClientId slow = take_in("192.0.2.2:1");
    const ClientId gone = take_in("192.0.2.3:1");
    segment_.stage(talker, "eleven byte", EntryId{1});
    ASSERT_TRUE(segment_.publish(EntryId{1}));
    for (const ClientId client : {talker, gone})
        move_cursor(segment_.users[client.slot], {.bytes_written = 11, .log_offset = 11});
    segment_.users[gone.slot].bytes_read = 5;
    clients_.release_client(gone, {LeaveReason::end_of_file});
    EntryRecord& entry = ledger_.entries()[1];
    entry.takeovers = 3;
    entry.taken_over_at_ms = 1'700'000'000'000;
    entry.takeover_ns = 1'250'000;
    ledger_.standing().started_at_ms = 1'600'000'000'000;

    const json said = answer(Request::Kind::status);
    EXPECT_EQ(said["event"], "status");
    EXPECT_EQ(said["pid"], 4711);
    EXPECT_EQ(said["master"], ::getpid());
    EXPECT_EQ(said["started_ms"], 1'600'000'000'000);
    EXPECT_EQ(said["users"], 2);
    EXPECT_EQ(said["users_max"], 4);
    EXPECT_EQ(said["metrics"], nullptr);
    EXPECT_EQ(said["bytes_in"], 16);
    EXPECT_EQ(said["bytes_out"], 22);
    EXPECT_EQ(said["log"],
        (json{{"bytes", log_bytes_min}, {"head", 11}, {"held", 11}, {"senders_wait", false}}));
    ASSERT_EQ(said["slowest"].size(), 1U);
    EXPECT_EQ(said["slowest"][0]["slot"], index_of(slow.slot));
    EXPECT_EQ(said["workers"][0]["last_takeover"], nullptr);
    EXPECT_EQ(said["workers"][1],
        json::parse(R"({"worker":2,"pid":0,"state":"being replaced","drained":false,"users":2,
            "awake":0.0,"takeovers":3,
            "last_takeover":{"at_ms":1700000000000,"milliseconds":1.25}})"));
    segment_.mapping.log_control().room_wanted = 5;
    EXPECT_EQ(answer(Request::Kind::status)["log"]["senders_wait"], true);
}

TEST_F(ControlDeskTest, KicksUsersAndNamesThem) {
    const ClientId first = take_in("192.0.2.1:1", EntryId{0});
    const ClientId second = take_in("192.0.2.1:2");
    (void)take_in("192.0.2.2:1");
    EXPECT_EQ(kick("192.0.2.1"), json::parse(R"({"event":"kicking","users":[
        {"slot":0,"generation":1},{"slot":1,"generation":1}],"all":true})"));
    EXPECT_EQ(kicking_.take_requests(EntryId{0}), std::vector{first});
    EXPECT_EQ(kicking_.take_requests(EntryId{1}), std::vector{second});
    EXPECT_EQ(kick("7")["reason"], "there is no such user");
    clients_.release_client(first, {LeaveReason::kicked});
    EXPECT_EQ(kick("0")["event"], "refused");
    EXPECT_EQ(answer(Request::Kind::stats)["left"]["kicked"], 1);
}

TEST_F(ControlDeskTest, RefusesAWorkerThatIsNotThere) {
    for (const Request::Kind kind : {Request::Kind::kill, Request::Kind::stop}) {
        EXPECT_EQ(answer(kind, 0)["reason"], "there is no worker 0");
        EXPECT_EQ(answer(kind, 3)["reason"], "there is no worker 3");
        EXPECT_EQ(answer(kind, 2)["reason"], "worker 2 is being replaced");
        EXPECT_EQ(answer(kind, 2)["event"], "refused");
    }
}

// Worker 2 is out of service, and goes on as long as it has a user.
TEST_F(ControlDeskTest, ShowsAWorkerThatRetires) {
    const ClientId last = take_in("192.0.2.1:1");
    Options options = options_;
    options.workers = 1;
    pool_.follow(options);
    draining_.follow(1);
    EXPECT_EQ(json::parse(desk_.greeting())["workers"], 1);
    const json said = answer(Request::Kind::status)["workers"];
    ASSERT_EQ(said.size(), 2U);
    EXPECT_EQ(said[1]["state"], "retiring");
    EXPECT_EQ(said[1]["drained"], true);
    EXPECT_EQ(answer(Request::Kind::kill, 2)["reason"], "worker 2 is being replaced");
    clients_.release_client(last, {LeaveReason::end_of_file});
    EXPECT_EQ(answer(Request::Kind::status)["workers"].size(), 1U);
    EXPECT_EQ(answer(Request::Kind::stats)["load"].size(), 1U);
    EXPECT_EQ(answer(Request::Kind::kill, 2)["reason"], "there is no worker 2");
    EXPECT_EQ(answer(Request::Kind::drain, 2)["reason"], "there is no worker 2");
}

TEST_F(ControlDeskTest, DrainsAWorkerAndSaysSo) {
    for (const auto kind : {Request::Kind::drain, Request::Kind::end_drain})
        EXPECT_EQ(answer(kind, 3)["reason"], "there is no worker 3");
    EXPECT_EQ(answer(Request::Kind::drain, 2)["reason"],
        "every other worker is drained or being replaced");
    EXPECT_EQ(answer(Request::Kind::end_drain, 2)["reason"], "worker 2 is not drained");
    served_ = {true, true};
    (void)clients_.take_in(
        {newcomer(make_stream_pair().first), *Address::parse("192.0.2.1:1")}, EntryId{1});
    EXPECT_EQ(answer(Request::Kind::drain, 2),
        (json{{"event", "draining"}, {"worker", 2}, {"users", 1}}));
    EXPECT_EQ(answer(Request::Kind::drain, 2)["reason"], "worker 2 is drained already");
    EXPECT_EQ(answer(Request::Kind::stats)["drained"], json::array({2}));
    EXPECT_EQ(answer(Request::Kind::stats)["moved"], 0);
    EXPECT_EQ(answer(Request::Kind::end_drain, 2), (json{{"event", "drain_ended"}, {"worker", 2}}));
    EXPECT_EQ(answer(Request::Kind::stats)["drained"], json::array());
}

TEST_F(ControlDeskTest, EventsAreKeptFromTheAnswerOn) {
    const ClientId leaver = take_in("192.0.2.1:1");
    clients_.release_client(take_in("192.0.2.1:2"), {.reason = LeaveReason::end_of_file});
    EXPECT_EQ(answer(Request::Kind::events)["event"], "watching");
    clients_.release_client(leaver, {.reason = LeaveReason::end_of_file});
    const KeptEvents kept = take_kept_events();
    keep_events(false);
    ASSERT_EQ(kept.lines.size(), 1U);
    const json left = json::parse(kept.lines.front());
    EXPECT_EQ(left["event"], "left");
    EXPECT_EQ(left["slot"], 0);
    EXPECT_EQ(left["generation"], 1);
}

} // namespace
} // namespace chatserv
