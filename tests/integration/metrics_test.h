// The fixture of tests of the metrics process: what it answers, and which process it is.
#pragma once

#include "tests/harness/process_figures.h"
#include "tests/integration/stats_query.h"

#include <csignal>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace chatserv::test {

class MetricsTest : public StatsServerTest {
protected:
    void start_with_metrics(std::vector<std::string> options = {}) {
        options.insert(options.end(), {"--metrics", "127.0.0.1:0", "--workers", "2"});
        start_with_control(options);
        note_address(server_->wait_for_line("metrics at "));
    }

    // Of a line such as "... metrics at http://127.0.0.1:9100/ (pid 12)".
    void note_address(const std::string& line) {
        const std::string from = line.substr(line.find("http://") + 7);
        web_ = Endpoint(from.substr(0, from.find('/')));
    }

    // The latest one that was started.
    pid_t metrics_pid() {
        const std::string line =
            server_->wait_for_line("metrics at ", server_->count("metrics at "));
        return std::stoi(line.substr(line.rfind("(pid ") + 5));
    }
    pid_t wait_for_another(std::size_t count) {
        server_->wait_for_line("metrics at ", count);
        return metrics_pid();
    }

    // The whole answer; empty if the process that accepted the connection died.
    std::string answer_to(const std::string& request) {
        Client client(loop_, web_);
        client.send(request);
        client.wait_for_end();
        return client.received();
    }
    std::string get(const std::string& path) {
        return answer_to("GET " + path + " HTTP/1.1\r\nHost: chatserv\r\n\r\n");
    }
    // Asks again for as long as there is no answer.
    std::string metrics() {
        std::string answer;
        EXPECT_TRUE(comes_true([&] {
            answer = get("/metrics");
            return answer.starts_with("HTTP/1.1 200");
        }));
        return answer;
    }

    // Every sample, by its name and labels.
    static std::map<std::string, double> samples_of(const std::string& answer) {
        std::map<std::string, double> samples;
        std::istringstream lines(answer.substr(answer.find("\r\n\r\n") + 4));
        for (std::string line; std::getline(lines, line);)
            if (!line.starts_with("#"))
                samples[line.substr(0, line.rfind(' '))] =
                    std::stod(line.substr(line.rfind(' ') + 1));
        return samples;
    }
    std::map<std::string, double> samples() { return samples_of(metrics()); }
    double sample(const std::string& name) {
        const auto all = samples();
        const auto found = all.find(name);
        return found == all.end() ? -1 : found->second;
    }
    void wait_for_sample(const std::string& name, double value) {
        EXPECT_TRUE(comes_true([&] { return sample(name) == value; })) << name;
    }

    // Until the reader's socket is full, senders wait for instants only, and the log is not full.
    bool log_is_full(double half_bytes) {
        return sample("chatserv_senders_wait") == 1 && sample("chatserv_log_fill_ratio") > 0.5 &&
               sample("chatserv_log_held_bytes") > half_bytes;
    }

    static bool is_alive(pid_t pid) {
        const auto state = state_of(pid);
        return state && state->state != 'Z';
    }

    // Two users hear each other.
    void expect_relay(Client& sender, Client& reader) {
        const std::string words = "line " + std::to_string(++said_) + "\n";
        sender.send(words);
        reader.wait_for(words);
    }

    Endpoint web_;
    unsigned said_ = 0;
};

} // namespace chatserv::test
