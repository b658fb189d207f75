// The fixture of tests of upgrades: a server that runs from an installation.
#pragma once

#include "config.h"
#include "shared/system/shared_table.h"
#include "tests/harness/numbered_stream.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/stats_query.h"
#include "tests/upgrade/installation.h"

#include <functional>
#include <gmock/gmock.h>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {

class UpgradeTest : public StatsServerTest {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "a server cannot be upgraded on this system";
        if (title_of(::getpid()).empty())
            GTEST_SKIP() << "this system shows no titles";
    }

    void start_installed(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--control", socket(), "--workers", "2"});
        server_ = std::make_unique<Server>(
            loop_, ServerOptions{.more = options, .binary = installation_.chatserv()});
    }

    [[nodiscard]] Command upgrade_command() const {
        return {{usual_version(), "upgrade", "--control", socket()}};
    }
    Finished upgrade() { return run(loop_, upgrade_command()); }

    // The upgrade succeeds, and says from which version to which.
    void expect_upgrade(const std::string& from, const std::string& to) {
        const Finished finished = upgrade();
        EXPECT_EQ(finished.status, 0) << finished.errors;
        EXPECT_THAT(finished.output, testing::HasSubstr("upgraded from " + from + " to " + to));
        EXPECT_THAT(finished.output, testing::HasSubstr("2 workers replaced"));
    }

    // The upgrade fails, and one line says why.
    void expect_failure(const std::string& why) {
        const Finished finished = upgrade();
        EXPECT_EQ(finished.status, 69) << finished.output; // EX_UNAVAILABLE
        EXPECT_THAT(finished.errors, testing::HasSubstr(why));
        EXPECT_EQ(finished.errors, last_line(finished.errors) + "\n") << "one line";
        EXPECT_EQ(server_->count("the upgrade failed: "), 1U);
    }

    // A program that cannot go on with the server changes nothing, and a sound one goes on.
    void expect_that_it_changes_nothing(
        const std::function<void(Installation&)>& install_fault, const std::string& why) {
        const auto first = join();
        const auto second = join();
        const pid_t master = server_->master_pid();
        install_fault(installation_);
        expect_failure(why);
        EXPECT_EQ(server_->master_pid(), master) << "nothing was ended";
        expect_service(*first, *second);
        installation_.install(other_version());
        expect_upgrade(usual, other);
        expect_service(*first, *second);
        EXPECT_EQ(server_->stop(), 0);
    }

    // Two clients that joined before still hear each other, and a newcomer hears them.
    void expect_service(Client& first, Client& second) {
        const auto third = join();
        const std::string words = "still here " + std::to_string(++said_) + "\n";
        first.send(words);
        second.wait_for(words);
        third->wait_for(words);
    }

    static constexpr const char* usual = CHATSERV_VERSION;
    static constexpr const char* other = "0.2.0-test";
    const std::string upgraded_text = std::string("upgraded from ") + usual + " to " + other;

    Installation installation_{usual_version()};
    unsigned said_ = 0;
    NumberedStream stream_{};
};

} // namespace chatserv::test
