// The version in the first line of a server, and which ones are old.
#include "bridge/engine/server_version.h"

#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

TEST(ServerVersion, IsInTheFirstLine) {
    EXPECT_EQ(version_in(R"(INFO {"server_id":"x","version":"2.9.10","proto":1} )"), "2.9.10");
    for (const char* line : {"", "INFO", "INFO {", "INFO []", R"(INFO {"version":2})",
             R"(INFO {"proto":1})", "-ERR 'x'", R"({"version":"2.9.10"})"})
        EXPECT_FALSE(version_in(line)) << line;
}

TEST(ServerVersion, IsComparedByItsNumbers) {
    for (const char* old : {"2.9.10", "2.10.22", "2.10.3-RC.1", "1.99.99"})
        EXPECT_TRUE(is_older(old, sound_version)) << old;
    for (const char* sound : {"2.10.23", "2.10.100", "2.10.23-RC.1", "2.11.0", "3.0.0"})
        EXPECT_FALSE(is_older(sound, sound_version)) << sound;
    for (const char* unknown : {"", "2.9", "dev", "2.x.1", "v2.9.10"})
        EXPECT_FALSE(is_older(unknown, sound_version)) << unknown;
}

TEST(ServerVersion, OfAServerThatIsNotThereIsUnknown) {
    EXPECT_FALSE(version_said_at("nats://127.0.0.1:1", std::chrono::seconds(5)));
    EXPECT_FALSE(version_said_at("nats://no such host", std::chrono::seconds(5)));
}

TEST(ServerVersion, IsAskedForAtTheUrlsHost) {
    struct Case {
        const char* url;
        const char* host;
        const char* port;
    };
    for (const auto& [url, host, port] :
        {Case{"nats://a:1", "a", "1"}, Case{"nats://a", "a", "4222"}, Case{"a:1", "a", "1"},
            Case{"tls://user:p:w@a.b:42", "a.b", "42"}, Case{"nats://[::1]:7", "::1", "7"},
            Case{"nats://[::1]", "::1", "4222"}, Case{"nats://u:p@w@h/", "h", "4222"}}) {
        const HostAndPort place = host_and_port_of(url);
        EXPECT_EQ(place.host, host) << url;
        EXPECT_EQ(place.port, port) << url;
    }
}

} // namespace
} // namespace chatserv::test
