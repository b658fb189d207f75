// The legacy: what one program writes, another one reads.
#include "master/config/option_table.h"
#include "master/upgrade/legacy.h"
#include "shared/segment/segment_memory.h"
#include "shared/system/failure.h"

#include <gtest/gtest.h>

namespace chatserv {
namespace {

// Every option has a value that is not the default.
constexpr const char* all_options =
    "source = tcp:a:1\nsource-silence = 5\nsource-greeting = hi\nstdin = yes\nstdin-end = stop\n"
    "stdout = yes\n"
    "listen = 127.0.0.1:1234, [::]:99 ipv6only=on\nusers = 321\nworkers = 3\nspares = 2\n"
    "placement = even\nlog-size = 123456\nstall-limit = 1.5\nmin-drain = 77\n"
    "join = nats://a\nroom = r\nroom-replicas = 3\n"
    "room-storage = memory\nroom-retention = 2M\nroom-credentials = c\nroom-ca = a\n"
    "room-certificate = b\nroom-key = k\n"
    "slow-policy = disconnect\nhang-limit = 0.25\ncontrol = \"/a b/#c\"\nmetrics = 9998\n"
    "log-level = debug\n"
    "log-format = json\nlog-file = '/var/log/\"x\"'\nmax-per-address = 5\n"
    "allow = 192.0.2.0/24, 2001:db8::/32\ndeny = 192.0.2.66\nproxy-trust = 192.0.2.5\n"
    "proxy-timeout = 7\nkeepalive = 7\nmax-rate = 4097\n"
    "idle-timeout = 60\nreplay = 64K\nframing = line\nline-max = 2K\nline-end = lf\n"
    "prefix = name\nuser = somebody\nunix-mode = 0600\nunix-group = chat\n";

TEST(Legacy, TellsEveryOptionInForce) {
    Legacy written{.options = options_from("a test", all_options),
        .program = "/usr/bin/chatserv",
        .control = "/run/a \xff b.sock",
        .why_no_account = "it is off",
        .command_line = {"/usr/bin/chatserv", "--users", "7 \xff"},
        .listeners = {{.number = 3, .serves = "9999", .proxied = true},
            {.number = 17,
                .serves = "[::]:99 ipv6only=on",
                .role = Role::speak,
                .is_handed_over = true,
                .handed_role = Role::listen}},
        .sources = {{.number = 2, .address = {.host = "a", .port = 1}},
            {.number = 7,
                .address = {.kind = SourceAddress::Kind::serial,
                    .role = Role::talk,
                    .path = "/dev/a,b",
                    .baud = 4800},
                .is_wanted = false}},
        .reload = {.number = 5,
            .changed = {{"users", "7", "321"}},
            .kept = {{"log-size", "4M", "123456"}, {"spares", "1", "2"}}}};
    resolve_listen(written.options.listen);
    written.options.user_by_default = true;
    written.options.worker_uid = 65534;
    written.options.worker_gid = 65533;
    written.options.unix_gid = 65532;
    const UniqueFd memory = write_legacy(written);
    const Legacy read = read_legacy(memory.get());
    EXPECT_EQ(describe(read.options), describe(written.options));
    for (const OptionRow& row : option_table())
        EXPECT_NE(row.kind.print(read.options), row.kind.print(Options())) << row.name;
    EXPECT_TRUE(read.options.user_by_default);
    EXPECT_EQ(read.options.worker_uid, 65534U);
    EXPECT_EQ(read.options.worker_gid, 65533U);
    EXPECT_EQ(read.options.unix_gid, gid_t{65532});
    EXPECT_EQ(read.program, written.program);
    EXPECT_EQ(read.control, written.control);
    EXPECT_EQ(read.why_no_account, written.why_no_account);
    EXPECT_EQ(read.command_line, written.command_line);
    ASSERT_EQ(read.listeners.size(), 2U);
    EXPECT_FALSE(read.listeners[0].is_handed_over);
    EXPECT_EQ(read.listeners[1].number, 17U);
    EXPECT_EQ(read.listeners[1].serves, "[::]:99 ipv6only=on");
    EXPECT_EQ(read.listeners[0].role, Role::talk);
    EXPECT_TRUE(read.listeners[0].proxied);
    EXPECT_FALSE(read.listeners[1].proxied);
    EXPECT_EQ(read.listeners[1].role, Role::speak);
    EXPECT_TRUE(read.listeners[1].is_handed_over);
    EXPECT_EQ(read.listeners[1].handed_role, Role::listen);
    EXPECT_EQ(read.sources, written.sources);
    EXPECT_EQ(read.reload.number, 5U);
    ASSERT_EQ(read.reload.changed.size(), 1U);
    ASSERT_EQ(read.reload.kept.size(), 2U);
    EXPECT_EQ(read.reload.kept[0].option, "log-size");
    EXPECT_EQ(read.reload.kept[0].from, "4M");
    EXPECT_EQ(read.reload.kept[0].to, "123456");
    ASSERT_EQ(read.options.listen[1].addresses.size(), 1U);
    EXPECT_EQ(read.options.listen[1].addresses[0].text(), "[::]:99");
    EXPECT_FALSE(read.options.listen[1].takes_ipv4_too);
}

TEST(Legacy, TellsWhetherAnyValueSaysWhereToListen) {
    Legacy legacy{.options = {}};
    resolve_listen(legacy.options.listen);
    EXPECT_TRUE(read_legacy(write_legacy(legacy).get()).options.listens_by_default());
    legacy.options.listen.front().place.text = "--listen";
    const Options asked = read_legacy(write_legacy(legacy).get()).options;
    EXPECT_FALSE(asked.listens_by_default());
    EXPECT_EQ(asked.listen.front().addresses.size(), 2U);
    legacy.options.listen.clear();
    EXPECT_TRUE(read_legacy(write_legacy(legacy).get()).options.listen.empty());
}

TEST(Legacy, RefusesWhatItDoesNotKnow) {
    EXPECT_THROW((void)options_from("the options in force", "colour = red\n"), Failure);
    const UniqueFd nothing = make_segment_memory(4096);
    EXPECT_THROW((void)read_legacy(nothing.get()), Failure);
    const UniqueFd tiny = make_segment_memory(1);
    EXPECT_THROW((void)read_legacy(tiny.get()), Failure);
}

} // namespace
} // namespace chatserv
