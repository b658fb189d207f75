// The options of a room of several hosts: which values they have, and what needs what.
#include "master/config/room_options.h"

#include "tests/unit/master/config/options_test.h"

#include <sysexits.h>

namespace chatserv {
namespace {

using testing::ElementsAre;

Words with(const Words& more) {
    Words words{"--join", "nats://127.0.0.1", "--room", "lobby"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

TEST(RoomOptions, NoRoomIsJoinedUnlessOneIsNamed) {
    EXPECT_FALSE(options_of({}).joined());
    const Options options = options_of(with({}));
    EXPECT_TRUE(options.joined());
    EXPECT_EQ(options.room, "lobby");
    EXPECT_EQ(options.room_replicas, 1U);
    EXPECT_EQ(options.room_storage, RoomStorage::file);
    EXPECT_EQ(options.room_retention, 1024U * 1024 * 1024);
}

TEST(RoomOptions, ServersAreAListOfAddresses) {
    const Options options = options_of({"--room", "r", "--join",
        "nats://a, tls://[2001:db8::1]:4222,nats://u:p@192.0.2.1:1", "--join", "nats://[::1]"});
    EXPECT_THAT(options.join, ElementsAre("nats://a", "tls://[2001:db8::1]:4222",
                                  "nats://u:p@192.0.2.1:1", "nats://[::1]"));
    EXPECT_THAT(options_from("a test", describe(options)).join, testing::ContainerEq(options.join));
}

TEST(RoomOptions, WhatIsNoServerIsRefused) {
    for (const char* const text : {"a", "nats:a", "nats://", "http://a", "nats://a:0",
             "nats://a:65536", "nats://a:b", "nats://a:", "nats://a/b", "nats://::1", "nats://[::1",
             "nats://@a", "nats://u@", "NATS://a", "nats://[]", "nats://a:1:2"})
        expect_refusal(refusal_of({"--room", "r", "--join", text}), EX_USAGE,
            {"--join \"", "must be nats://HOST[:PORT] or tls://HOST[:PORT]"});
    expect_refusal(
        refusal_of({"--room", "r", "--join", "nats://" + std::string(join_bytes_max, 'a')}),
        EX_USAGE, {"must be nats://"});
    std::string many = "nats://a";
    for (size_t count = 0; count < join_servers_max; ++count)
        many += ", nats://a";
    expect_refusal(refusal_of({"--room", "r", "--join", many}), EX_USAGE, {"at most 16 servers"});
}

TEST(RoomOptions, ARoomsNameIsPlain) {
    EXPECT_EQ(options_of({"--join", "nats://a", "--room", "a-B_9"}).room, "a-B_9");
    for (const char* const name : {"a b", "a.b", "\xc3\xa4", "a*", "a>", ""})
        expect_refusal(refusal_of({"--join", "nats://a", "--room", name}), EX_USAGE,
            {"--room \"", "must be a name of at most 64 letters, digits, - and _"});
    expect_refusal(refusal_of({"--join", "nats://a", "--room", std::string(65, 'a')}), EX_USAGE,
        {"must be a name of at most 64"});
}

TEST(RoomOptions, EachNeedsWhatBelongsToIt) {
    expect_refusal(refusal_of({"--join", "nats://a"}), EX_USAGE, {"--join needs --room"});
    expect_refusal(refusal_of({"--room", "r"}), EX_USAGE, {"--room needs --join"});
    expect_refusal(refusal_of(with({"--room-certificate", "c"})), EX_USAGE,
        {"--room-certificate needs --room-key"});
    expect_refusal(
        refusal_of(with({"--room-key", "k"})), EX_USAGE, {"--room-key needs --room-certificate"});
    for (const char* const flag : {"--room-credentials", "--room-ca"})
        expect_refusal(
            refusal_of({flag, "file"}), EX_USAGE, {std::string(flag) + " needs --join and --room"});
    expect_refusal(refusal_of({"--room-certificate", "c", "--room-key", "k"}), EX_USAGE,
        {"--room-key needs --join and --room"});
}

// One append of the bridge has to fit (shared/segment/bridged_chunk.h).
TEST(RoomOptions, ALogThatIsTooSmallForARoomIsRefused) {
    EXPECT_EQ(refusal_of(with({"--log-size", "256K"})).status, 0);
    expect_refusal(refusal_of(with({"--log-size", "255K"})), EX_USAGE,
        {"--log-size must be at least 256K where a room is joined: it is 255K"});
}

TEST(RoomOptions, HowTheStreamIsKept) {
    const Options options = options_of(
        with({"--room-replicas", "3", "--room-storage", "memory", "--room-retention", "10G"}));
    EXPECT_EQ(options.room_replicas, 3U);
    EXPECT_EQ(options.room_storage, RoomStorage::memory);
    EXPECT_EQ(options.room_retention, 10ULL * 1024 * 1024 * 1024);
    expect_refusal(refusal_of(with({"--room-replicas", "2"})), EX_USAGE, {"must be 1, 3 or 5"});
    expect_refusal(
        refusal_of(with({"--room-storage", "disk"})), EX_USAGE, {"must be file or memory"});
    expect_refusal(refusal_of(with({"--room-retention", "1"})), EX_USAGE, {"from 1M to 1024G"});
}

TEST(RoomOptions, PasswordsAreNotShown) {
    EXPECT_EQ(without_passwords(R"(["nats://u:p@a:1", "tls://b", "nats://u@c"])"),
        R"(["nats://...@a:1", "tls://b", "nats://...@c"])");
    EXPECT_EQ(without_passwords("none"), "none");
    EXPECT_EQ(
        without_passwords(R"(["nats://a", "nats://u:p@b"])"), R"(["nats://a", "nats://...@b"])");
    EXPECT_EQ(without_passwords(R"(["nats://u:p@ss@a"])"), R"(["nats://...@a"])");
}

} // namespace
} // namespace chatserv
