// --metrics: what the metrics process answers, what it can reach, and what its death costs.
#include "tests/integration/metrics_test.h"

#include "shared/system/shared_table.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sysexits.h>
#include <unistd.h>

namespace chatserv::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(MetricsTest, ShowsWhatStatsAndStatusShow) {
    start_with_metrics({"--users", "2"});
    const auto first = join();
    const auto second = join();
    Client third(loop_, server_->endpoint());
    third.wait_for_end();
    first->send("hello");
    second->wait_for("hello");
    wait_for_sample("chatserv_sent_bytes_total", 5);
    first->half_close();
    wait_for_sample("chatserv_departures_total{reason=\"end_of_file\"}", 1);
    const auto now = samples();
    const auto said = stats();
    EXPECT_EQ(now.at("chatserv_users"), said["users"]);
    EXPECT_EQ(now.at("chatserv_users_max"), said["users_max"]);
    EXPECT_EQ(now.at("chatserv_accepted_total"), said["accepted"]);
    for (const auto& [reason, count] : said["turned_away"].items())
        EXPECT_EQ(now.at("chatserv_refusals_total{reason=\"" + reason + "\"}"), count);
    for (const auto& [reason, count] : said["left"].items())
        EXPECT_EQ(now.at("chatserv_departures_total{reason=\"" + reason + "\"}"), count);
    EXPECT_EQ(now.at("chatserv_received_bytes_total"), 5);
    EXPECT_EQ(now.at("chatserv_received_chunks_total"), 1);
    EXPECT_EQ(now.at("chatserv_sent_bytes_total"), 5) << "also of those that have left";
    EXPECT_EQ(now.at("chatserv_log_fill_ratio"), 0);
    EXPECT_EQ(now.at("chatserv_workers"), 2);
    EXPECT_EQ(now.at("chatserv_spares"), 1);
    EXPECT_EQ(now.at("chatserv_ready"), 1);
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(MetricsTest, ShowsHowFullTheLogIs) {
    start_with_metrics({no_stall_limit, "--log-size=64K"});
    const auto sender = join();
    const auto reader = join_paused();
    sender->send(numbered_lines(16 * 1024 * 1024));
    EXPECT_TRUE(comes_true([&] { return log_is_full(32 * 1024); }));
    EXPECT_LE(sample("chatserv_log_fill_ratio"), 1);
}

TEST_F(MetricsTest, AnswersOtherPaths) {
    start_with_metrics();
    EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(get("/readyz"), HasSubstr("\r\n\r\nready\n"));
    EXPECT_THAT(get("/"), HasSubstr("default-src 'self'"));
    EXPECT_THAT(get("/"), HasSubstr("<title>chatserv</title>"));
    EXPECT_THAT(get("/status.js"), HasSubstr("text/javascript"));
    EXPECT_THAT(get("/metrics"), HasSubstr("text/plain; version=0.0.4"));
    EXPECT_THAT(get("/metrics?a=b"), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(get("/../../etc/passwd"), StartsWith("HTTP/1.1 404"));
    const std::string head = answer_to("HEAD /metrics HTTP/1.1\r\n\r\n");
    EXPECT_THAT(head, StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(head, Not(HasSubstr("chatserv_users")));
    EXPECT_EQ(server_->stop(), 0);
}

// Nothing listens any more when it has ended, so it can be started again at once.
TEST_F(MetricsTest, EndsWithTheServer) {
    start_with_metrics();
    const std::string where = web_.text();
    const pid_t pid = metrics_pid();
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_FALSE(is_alive(pid));
    EXPECT_TRUE(server_->process().group_is_gone());
    start({"--metrics", where});
    server_->wait_for_line("metrics at http://" + where + "/");
    server_->kill();
    EXPECT_TRUE(server_->process().group_is_gone()) << "its lifeline has ended";
    start({"--metrics", where});
    server_->wait_for_line("metrics at http://" + where + "/");
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(MetricsTest, APortThatIsTakenEndsTheStartWithOneLine) {
    start_with_metrics();
    const Finished second =
        run(loop_, {{chatserv_path(), "--listen", "127.0.0.1:0", "--metrics", web_.text()}});
    EXPECT_EQ(second.status, EX_UNAVAILABLE);
    EXPECT_EQ(second.errors, "chatserv: cannot listen on " + web_.text() +
                                 ": Address already in use; stop what listens there, or choose "
                                 "another --metrics\n");
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(MetricsTest, StatusNamesIt) {
    start_with_metrics();
    const Finished screen =
        run(loop_, {{chatserv_path(), "status", "--interval", "0", "--control", socket()}});
    EXPECT_THAT(screen.output, HasSubstr("metrics  http://" + web_.text() + "/ (pid " +
                                         std::to_string(metrics_pid()) + ")\n"));
    EXPECT_EQ(server_->stop(), 0);
}

TEST_F(MetricsTest, ItsDeathCostsNoUserAnythingAndItIsStartedAgain) {
    start_with_metrics();
    const auto first = join();
    const auto second = join();
    expect_relay(*first, *second);
    pid_t pid = metrics_pid();
    for (std::size_t deaths = 1; deaths <= 5; ++deaths) {
        ::kill(pid, SIGKILL);
        pid = wait_for_another(deaths + 1);
        EXPECT_EQ(sample("chatserv_accepted_total"), 2);
        EXPECT_EQ(sample("chatserv_metrics_starts_total"), static_cast<double>(deaths + 1));
        expect_relay(*first, *second);
    }
    EXPECT_EQ(server_->stop(), 0);
}

// Stopped, it serves nobody and holds nobody up, and the end of the server does not wait for it.
TEST_F(MetricsTest, IsNotWaitedFor) {
    start_with_metrics();
    const auto first = join();
    const auto second = join();
    ::kill(metrics_pid(), SIGSTOP);
    Client waiting(loop_, web_);
    waiting.send("GET /metrics HTTP/1.1\r\n\r\n");
    expect_relay(*first, *second);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

class MetricsSuccessorTest : public MetricsTest {
protected:
    void SetUp() override {
        if (!can_share_descriptors())
            GTEST_SKIP() << "the death of the master ends the server on this system";
    }
    void kill_master() {
        const auto others = server_->count("carries on");
        ::kill(server_->master_pid(), SIGKILL);
        server_->wait_for_line("carries on", others + 1);
    }
};

TEST_F(MetricsSuccessorTest, OneProcessOutlivesItsMasters) {
    start_with_metrics();
    const auto first = join();
    const pid_t pid = metrics_pid();
    for (int deaths = 1; deaths <= 3; ++deaths) {
        kill_master();
        EXPECT_EQ(sample("chatserv_takeovers_total{process=\"master\"}"), deaths);
    }
    EXPECT_EQ(metrics_pid(), pid);
    EXPECT_EQ(sample("chatserv_accepted_total"), 1);
    ::kill(pid, SIGKILL); // no child of this master
    const pid_t next = wait_for_another(2);
    EXPECT_NE(next, pid);
    EXPECT_EQ(sample("chatserv_metrics_starts_total"), 2);
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

TEST_F(MetricsSuccessorTest, OutlivesTheKeeper) {
    start_with_metrics();
    if (!server_->process().adopt_orphans())
        GTEST_SKIP() << "this system has no subreapers";
    wait_for_sample("chatserv_takeovers_total{process=\"keeper\"}", 0); // it has its seat
    ::kill(server_->keeper_pid(), SIGKILL);
    wait_for_sample("chatserv_takeovers_total{process=\"keeper\"}", 1);
    EXPECT_EQ(server_->count("metrics at "), 1U);
    EXPECT_EQ(server_->stop(), 0);
}

// Whatever dies, and whichever process answers: no count ever goes down, and one process serves.
TEST_F(MetricsSuccessorTest, NoCountGoesDownWhileProcessesDie) {
    start_with_metrics({"--users", "20"});
    const auto sender = join();
    auto latest = samples();
    for (int round = 0; round < 30; ++round) {
        const auto visitor = join();
        sender->send(numbered_lines(1000));
        switch (round % 3) {
        case 0:
            ::kill(server_->master_pid(), SIGKILL);
            break;
        case 1:
            ::kill(metrics_pid(), SIGKILL);
            break;
        default:
            for (const pid_t worker : server_->worker_pids())
                ::kill(worker, SIGKILL);
        }
        auto now = samples();
        for (const auto& [name, value] : latest) {
            const bool counts = name.find("_total") != std::string::npos ||
                                name.find("_seconds_count") != std::string::npos ||
                                name.find("_seconds_sum") != std::string::npos;
            EXPECT_TRUE(!counts || !now.contains(name) || now.at(name) >= value) << name;
        }
        latest = std::move(now);
    }
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

// Clients that send slowly, nothing, too much or nonsense, more of them than it holds connections.
TEST_F(MetricsTest, HostileClientsCostItAlone) {
    start_with_metrics();
    const auto first = join();
    const auto second = join();
    std::vector<std::unique_ptr<Client>> hostile;
    for (int i = 0; i < 300; ++i) {
        hostile.push_back(std::make_unique<Client>(loop_, web_));
        const std::string header = "GET / HTTP/1.1\r\nX: ";
        hostile.back()->send(i % 4 == 0   ? ""
                             : i % 4 == 1 ? "G"
                             : i % 4 == 2 ? header + std::string(1000, 'x')
                                          : header + std::string(100'000, 'x'));
    }
    expect_relay(*first, *second);
    EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200"));
    for (const std::string request :
        {"POST /metrics HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n",
            "BREW / HTCPCP/1.0\r\n\r\n", "\r\n\r\n", "GET\r\n\r\n", "GET /%zz%00 HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nRange: bytes=0-,0-,0-,0-,0-\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n"})
        EXPECT_THAT(answer_to(request), StartsWith("HTTP/1.1 ")) << request;
    EXPECT_THAT(answer_to("DELETE /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405"));
    EXPECT_THAT(get("/" + std::string(4000, 'x')), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200"));
    expect_relay(*first, *second);
    EXPECT_EQ(server_->count("metrics at "), 1U) << "it has not died";
    EXPECT_LE(descriptors_of(metrics_pid()).value_or(0), 128U + 16U);
    EXPECT_EQ(server_->stop(), 0);
}

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Of /proc, so Linux alone: its listen socket, its lifeline and its kqueue, and nothing of the
// conversation.
TEST_F(MetricsTest, CanReachNothingOfTheServer) {
    const auto socket_of = [](pid_t pid, const fs::path& fd) {
        std::error_code absent;
        return fs::read_symlink(fs::path("/proc") / std::to_string(pid) / "fd" / fd, absent)
            .string();
    };
    start_with_metrics();
    const auto client = join();
    const pid_t pid = metrics_pid();
    ASSERT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200")); // it is confined by then
    const fs::path self = "/proc/" + std::to_string(pid);
    if (!fs::exists(self / "maps"))
        GTEST_SKIP() << "this system has no /proc";
    std::vector<std::string> others;
    for (const auto& entry : fs::directory_iterator(self / "fd"))
        if (std::stoi(entry.path().filename()) > STDERR_FILENO)
            others.push_back(socket_of(pid, entry.path().filename()));
    const auto count = [&](const std::string& prefix) {
        return std::ranges::count_if(
            others, [&](const std::string& name) { return name.starts_with(prefix); });
    };
    EXPECT_EQ(count("socket:"), 2) << "the listen socket and the lifeline";
    EXPECT_EQ(count("/memfd:"), 0);
    std::istringstream maps(text_of(self / "maps"));
    std::uint64_t shared = 0;
    for (std::string line; std::getline(maps, line);) {
        if (line.find("memfd:chatserv") == std::string::npos)
            continue;
        ++shared;
        EXPECT_THAT(line, HasSubstr(" r--s ")) << "read only";
    }
    EXPECT_EQ(shared, 2U) << "the segment's tables and the ledger";
    const std::string status = text_of(self / "status");
    EXPECT_TRUE(::geteuid() != 0 || status.find("Uid:\t0\t") == std::string::npos) << status;
    const std::string worker = std::to_string(server_->worker_pids().front());
    const bool confined =
        text_of("/proc/" + worker + "/status").find("Seccomp:\t2") != std::string::npos;
    EXPECT_TRUE(!confined || status.find("Seccomp:\t2") != std::string::npos) << status;
    EXPECT_EQ(title_of(pid), "chatserv: metrics");
    EXPECT_EQ(server_->stop(), 0);
}

} // namespace
} // namespace chatserv::test
