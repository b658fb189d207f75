// What the master tells the bridge, and what is refused.
#include "bridge/settings.h"
#include "shared/system/fd.h"
#include "tests/harness/temporary_directory.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

class SettingsTest : public testing::Test {
protected:
    std::string file(const std::string& contents) {
        std::ofstream(folder.path() / "secret") << contents;
        return folder.path() / "secret";
    }
    [[nodiscard]] BridgeSettings read() const { return settings_in(object.dump()); }
    int refusal() {
        try {
            (void)read();
        } catch (const Failure& failure) {
            EXPECT_EQ(std::string(failure.what()).find("contents"), std::string::npos);
            return failure.exit_status();
        } catch (const std::runtime_error&) {
            return EX_SOFTWARE;
        }
        return 0;
    }

    TemporaryDirectory folder;
    nlohmann::json object{{"servers", {"nats://a", "tls://b:1"}}, {"room", "hall"}, {"replicas", 3},
        {"storage", "memory"}, {"bytes", 1000}, {"credentials", ""}, {"ca", ""},
        {"certificate", ""}, {"key", ""}, {"hang_limit_ms", 5000}};
};

TEST_F(SettingsTest, AreRead) {
    object["credentials"] = file("contents");
    object["ca"] = object["credentials"];
    const BridgeSettings settings = read();
    EXPECT_EQ(settings.jetstream.servers, (std::vector<std::string>{"nats://a", "tls://b:1"}));
    EXPECT_EQ(settings.jetstream.room, "hall");
    EXPECT_EQ(settings.jetstream.replicas, 3);
    EXPECT_TRUE(settings.jetstream.in_memory);
    EXPECT_EQ(settings.jetstream.bytes_max, 1000U);
    EXPECT_EQ(settings.jetstream.credentials, "contents");
    EXPECT_EQ(settings.jetstream.authorities, "contents");
    EXPECT_EQ(settings.jetstream.certificate, "");
    EXPECT_EQ(settings.hang_limit, std::chrono::milliseconds(5000));
    EXPECT_EQ(settings.exchange.under_way_bytes_max, Publication::under_way_bytes_max);
    EXPECT_FALSE(settings.exchange.history.wanted());
    EXPECT_GE(settings.exchange.epoch_bytes_max, 2 * settings.exchange.under_way_bytes_max);
    object["max_bytes_under_way"] = 4096;
    EXPECT_EQ(read().exchange.under_way_bytes_max, 4096U);
    object["replay_lines"] = 20;
    EXPECT_EQ(read().exchange.history.lines, 20U);
    object["replay_bytes"] = 4096;
    EXPECT_EQ(read().exchange.history.bytes, 4096U);
    object["bytes"] = uint64_t{1} << 30U;
    EXPECT_EQ(read().exchange.epoch_bytes_max, uint64_t{1} << 28U);
}

TEST_F(SettingsTest, WithFilesThatCannotBeReadAreUnusable) {
    for (const std::string& path :
        {std::string("/nowhere/at/all"), folder.path().string(), file("")})
        for (const char* key : {"credentials", "ca", "certificate", "key"}) {
            auto before = object;
            object[key] = path;
            EXPECT_EQ(refusal(), exit_unusable) << key << " " << path;
            object = before;
        }
    object["key"] = file(std::string(2 * 1024 * 1024, 'x'));
    EXPECT_EQ(refusal(), exit_unusable);
}

TEST_F(SettingsTest, ThatAreCutOffAreAFaultOfTheMasters) {
    const std::string text = object.dump();
    for (size_t bytes = 0; bytes < text.size(); bytes += 7)
        EXPECT_THROW((void)settings_in(text.substr(0, bytes)), std::runtime_error);
    object.erase("room");
    EXPECT_EQ(refusal(), EX_SOFTWARE);
}

TEST_F(SettingsTest, AreReadToTheEndOfThePipe) {
    FdPair pipe = make_pipe();
    ASSERT_EQ(::write(pipe.second.get(), "abc", 3), 3);
    ASSERT_EQ(::write(pipe.second.get(), "def", 3), 3);
    pipe.second.reset();
    EXPECT_EQ(all_of(pipe.first.get()), "abcdef");
}

} // namespace
} // namespace chatserv::test
