// What a reload changes, and what it leaves until the next start.
#include "master/config/reload_plan.h"

#include "master/config/option_table.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace chatserv {
namespace {

// A value for each option that is not the default.
constexpr const char* other_values =
    "source = tcp:a:1\nsource-silence = 5\nsource-greeting = hi\nstdin = yes\nstdin-end = stop\n"
    "stdout = yes\n"
    "listen = 127.0.0.1:1234\nusers = 9\nworkers = 3\nspares = 2\nplacement = even\n"
    "log-size = 128K\nstall-limit = 1.5\nmin-drain = 77\nslow-policy = disconnect\n"
    "hang-limit = 0.25\ncontrol = none\nmetrics = 9998\nlog-level = debug\nlog-format = json\n"
    "log-file = x\n"
    "max-per-address = 5\nallow = 192.0.2.0/24\ndeny = 192.0.2.66\nkeepalive = 7\n"
    "proxy-trust = 192.0.2.5\nproxy-timeout = 7\n"
    "max-rate = 4097\nidle-timeout = 60\nreplay = 20\nframing = line\nline-max = 2K\n"
    "join = nats://a\nroom = r\nroom-replicas = 3\n"
    "room-storage = memory\nroom-retention = 2M\nroom-credentials = c\nroom-ca = a\n"
    "room-certificate = b\nroom-key = k\n"
    "line-end = lf\nprefix = name\nuser = somebody\nunix-mode = 0600\nunix-group = chat\n";
constexpr TableRoom room{.users = 10, .workers = 4, .spares = 16};

Options start() {
    Options options;
    options.workers = 2;
    return options;
}

bool names(const std::vector<OptionChange>& changes, const std::string& option) {
    return std::ranges::any_of(
        changes, [&](const OptionChange& change) { return change.option == option; });
}

TEST(ReloadPlan, EachOptionIsTakenOrKeptAsItsRowSays) {
    const Options wanted = options_from("a test", other_values);
    const ReloadPlan plan = plan_reload(start(), wanted, room);
    for (const OptionRow& row : option_table()) {
        const bool taken = row.on_reload != OnReload::keeps;
        EXPECT_NE(row.kind.print(wanted), row.kind.print(start())) << row.name;
        EXPECT_EQ(names(plan.changed, row.name), taken) << row.name;
        EXPECT_EQ(names(plan.kept, row.name), !taken) << row.name;
        EXPECT_EQ(row.kind.print(plan.options), row.kind.print(taken ? wanted : start()))
            << row.name;
    }
}

TEST(ReloadPlan, APasswordOfAServerIsNotShown) {
    Options in_force = start();
    in_force.join = {"nats://u:secret@a"};
    Options wanted = in_force;
    wanted.join = {"nats://u:other@a", "nats://b"};
    const ReloadPlan plan = plan_reload(in_force, wanted, room);
    ASSERT_EQ(plan.kept.size(), 1U);
    EXPECT_EQ(plan.kept.front().from, R"(["nats://...@a"])");
    EXPECT_EQ(plan.kept.front().to, R"(["nats://...@a", "nats://b"])");
}

TEST(ReloadPlan, NothingChangesWhereNothingDiffers) {
    const Options options = options_from("a test", other_values);
    const ReloadPlan plan = plan_reload(options, options, room);
    EXPECT_TRUE(plan.changed.empty());
    EXPECT_TRUE(plan.kept.empty());
}

TEST(ReloadPlan, WithoutAValueOfListenTheServiceManagerSaysWhereToListen) {
    Options in_force = start();
    in_force.listen.clear();
    const ReloadPlan opened = plan_reload(in_force, start(), room);
    ASSERT_EQ(opened.changed.size(), 1U);
    EXPECT_EQ(opened.changed[0].from, "the sockets of the service manager");
    EXPECT_EQ(opened.options.listen.size(), 1U);
    const ReloadPlan closed = plan_reload(start(), in_force, room);
    ASSERT_EQ(closed.changed.size(), 1U);
    EXPECT_EQ(closed.changed[0].to, "the sockets of the service manager");
    EXPECT_TRUE(closed.options.listen.empty());
}

TEST(ReloadPlan, UsersHaveTheRoomOfTheStart) {
    Options wanted = start();
    wanted.users = 11;
    EXPECT_TRUE(names(plan_reload(start(), wanted, room).kept, "users"));
    wanted.users = 3;
    const ReloadPlan fewer = plan_reload(start(), wanted, room);
    EXPECT_TRUE(names(fewer.changed, "users"));
    wanted.users = 10;
    const ReloadPlan as_at_the_start = plan_reload(fewer.options, wanted, room);
    EXPECT_TRUE(names(as_at_the_start.changed, "users"));
    EXPECT_EQ(as_at_the_start.options.users, 10U);
}

TEST(ReloadPlan, WorkersAndSparesHaveTheRoomOfTheTables) {
    Options wanted = start();
    wanted.workers = room.workers;
    wanted.spares = 0;
    EXPECT_TRUE(plan_reload(start(), wanted, room).kept.empty());
    wanted.workers = room.workers + 1;
    wanted.spares = room.spares + 1;
    const ReloadPlan plan = plan_reload(start(), wanted, room);
    ASSERT_EQ(plan.kept.size(), 2U);
    EXPECT_EQ(plan.kept[0].option, "workers");
    EXPECT_EQ(plan.kept[0].to, "5");
    EXPECT_EQ(plan.options.workers, start().workers);
    EXPECT_EQ(plan.options.spares, start().spares);
}

TEST(ReloadPlan, SaysValuesAsPeopleReadThem) {
    Options wanted = start();
    wanted.stall_limit = std::chrono::milliseconds(2500);
    wanted.allow.push_back(*Network::parse("192.0.2.0/24"));
    for (int i = 0; i < 250; ++i)
        wanted.deny.push_back(*Network::parse("10.0.0." + std::to_string(i)));
    const ReloadPlan plan = plan_reload(start(), wanted, room);
    ASSERT_EQ(plan.changed.size(), 3U);
    EXPECT_EQ(plan.changed[0].from, "5");
    EXPECT_EQ(plan.changed[0].to, "2.5");
    EXPECT_EQ(plan.changed[1].from, "every network");
    EXPECT_EQ(plan.changed[1].to, "[\"192.0.2.0/24\"]");
    EXPECT_LE(plan.changed[2].to.size(), 403U);
    EXPECT_TRUE(plan.changed[2].to.ends_with("..."));
}

} // namespace
} // namespace chatserv
