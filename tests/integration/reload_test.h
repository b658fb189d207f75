// The fixture of tests of reloads: a server with a configuration file that the test rewrites.
#pragma once

#include "tests/harness/log_line.h"
#include "tests/integration/stats_query.h"

#include <fcntl.h>
#include <fstream>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv::test {

class ReloadTest : public StatsServerTest {
protected:
    [[nodiscard]] std::string config() const { return folder_.path().string() + "/chatserv.conf"; }
    // In one step, as an editor does that is careful.
    void configure(const std::string& text) const {
        const std::string next = config() + ".next";
        std::ofstream(next) << text;
        ASSERT_EQ(::rename(next.c_str(), config().c_str()), 0);
    }

    // `listen`: on the command line.
    void start_configured(const std::string& text, std::vector<std::string> options = {},
        std::vector<std::string> listen = {"127.0.0.1:0"}) {
        const std::size_t listens_by_file = listen.empty() ? 1 : 0;
        configure(text);
        options.insert(options.end(), {"--config", config(), "--control", socket()});
        server_ = std::make_unique<Server>(loop_, ServerOptions{.listen = std::move(listen),
                                                      .more = std::move(options),
                                                      .environment = environment_,
                                                      .placement = placement_,
                                                      .listens_by_file = listens_by_file});
    }
    // The address of the listen socket of that line of the log.
    Endpoint wait_for_listener(std::size_t number) {
        return Endpoint(*parse_listening(server_->wait_for_line(": listening on ", number)));
    }

    [[nodiscard]] Command reload_command() const {
        return {{chatserv_path(), "reload", "--control", socket()}};
    }
    Finished reload() { return run(loop_, reload_command()); }

    // A newcomer is turned away; `line`: what it reads, if that is to be looked at.
    void expect_refused(const std::string& line = "") {
        Client refused(loop_, server_->endpoint());
        refused.wait_for_end();
        if (!line.empty()) {
            EXPECT_EQ(refused.received(), line);
        }
        server_->wait_for_line(refused.address() + " turned away");
    }

    // Until senders wait for room. The slow reader is user 0.
    void hold_up_the_senders() {
        slow_ = join_paused();
        sender_ = join();
        quick_ = join();
        sender_->send(much_);
        ASSERT_TRUE(comes_true([&] {
            const Finished finished = run(loop_,
                {{chatserv_path(), "status", "--json", "--interval=0", "--control", socket()}});
            return finished.status == 0 &&
                   nlohmann::json::parse(finished.output).at("log").at("senders_wait") == true;
        }));
        EXPECT_EQ(server_->count(" left: "), 0U);
    }
    void expect_that_the_others_have_everything() {
        quick_->wait_for_bytes(much_.size());
        EXPECT_TRUE(quick_->received() == much_);
        EXPECT_EQ(server_->count(" left: "), 1U);
        EXPECT_EQ(server_->stop(), 0);
    }

    const std::string much_ = numbered_lines(8'000'000);
    std::vector<std::pair<std::string, std::string>> environment_{};
    std::unique_ptr<Client> slow_;
    std::unique_ptr<Client> sender_;
    std::unique_ptr<Client> quick_;
};

} // namespace chatserv::test
