// The fixture of tests of a server that has sources.
#pragma once

#include "tests/harness/peer_server.h"
#include "tests/harness/process_figures.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace chatserv::test {

class SourceTest : public StatsServerTest {
protected:
    // Workers as many as make takeovers likely to meet the source.
    void start_with_source(const std::string& source, std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--workers", "2", "--source", source});
        start_with_control(std::move(options));
    }

    nlohmann::json source(std::size_t place = 0) {
        const Finished finished = run(loop_,
            {{chatserv_path(), "status", "--json", "--interval", "0", "--control", socket()}});
        EXPECT_EQ(finished.status, 0) << finished.errors;
        return nlohmann::json::parse(finished.output)["sources"].at(place);
    }

    // Kills the process that serves the entry, and waits for the next one.
    void kill_worker(std::size_t entry) {
        const pid_t victim = server_->worker_pids().at(entry);
        ::kill(victim, SIGKILL);
        loop_.wait_until([&] { return server_->worker_pids().at(entry) != victim; },
            "another worker to take over");
    }

    void kill_master() {
        const std::size_t before = server_->count(" carries on, with ");
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line(" carries on, with ", before + 1);
    }

    // A user hears nothing that was sent before it joined, and so does a source.
    void wait_until_joined(std::size_t times) { server_->wait_for_line(" joined from ", times); }

    // The process of a source, by its title; 0 where there is none.
    pid_t process_of_source() {
        for (const ProcessState& member : members_of(server_->process().pid()))
            if (member.state != 'Z' && title_of(member.pid).starts_with("chatserv: source "))
                return member.pid;
        return 0;
    }

    void wait_until_connected(std::size_t times = 1) {
        server_->wait_for_line(" is connected: user ", times);
    }
};

} // namespace chatserv::test
