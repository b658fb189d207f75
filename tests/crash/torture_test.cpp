// R9: workers are killed at random moments while everybody talks, and no client notices.
//
// Position-coded streams run from each client to all the others, over IPv4 and IPv6. Some clients
// read slowly, so that workers die with sockets full, and the log is small, so that they die with
// the log full. CHATSERV_TEST_KILLS says how many are killed, CHATSERV_TEST_SEED repeats the
// choices (not the instants).
#include "tests/integration/server_test.h"
#include "tests/support/seed.h"
#include "tests/support/transcript.h"

#include <csignal>
#include <gmock/gmock.h>
#include <random>
#include <set>

namespace chatserv::test {
namespace {

constexpr unsigned clients = 6;
constexpr std::uint64_t stream_bytes_per_kill = 20'000; // of each client: it talks until the end

class TortureTest : public ServerTest {
protected:
    void begin(const std::vector<std::string>& options) {
        const bool two_families = has_ipv6();
        start_on(two_families ? std::vector<std::string>{"127.0.0.1:0", "[::1]:0"}
                              : std::vector<std::string>{"127.0.0.1:0", "127.0.0.1:0"},
            options);
        for (unsigned i = 0; i < clients; ++i)
            clients_.push_back(join(i % 2, i % 3 == 0 ? 8192 : 0));
    }

    void talk(std::uint64_t stream_bytes_max) {
        for (unsigned i = 0; i < clients; ++i) {
            if (!clients_[i]->is_sent() || queued_[i] >= stream_bytes_max)
                continue;
            const std::uint64_t bytes = std::uint64_t{1} << random_() % 16;
            clients_[i]->send(code_.bytes(i, queued_[i], bytes));
            queued_[i] += bytes;
        }
        Client& slow = *clients_[random_() % clients];
        slow.is_paused() ? slow.resume() : slow.pause();
    }

    // Kills one worker that has not been killed yet, if there is one just now.
    bool kill_one() {
        const std::vector<pid_t> pids = server_->worker_pids();
        const pid_t victim = pids[random_() % pids.size()];
        if (!killed_.insert(victim).second)
            return false;
        return ::kill(victim, SIGKILL) == 0;
    }

    void kill_while_all_talk(std::uint64_t kills) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(20);
        for (std::uint64_t done = 0; done < kills;) {
            ASSERT_LT(std::chrono::steady_clock::now(), give_up) << done << " workers killed";
            talk((done + 1) * stream_bytes_per_kill);
            done += random_() % 4 == 0 && kill_one() ? 1 : 0;
            loop_.turn(std::chrono::milliseconds(random_() % 2));
        }
    }

    void expect_that_nobody_noticed() {
        std::uint64_t all_bytes = 0;
        for (unsigned i = 0; i < clients; ++i) {
            clients_[i]->resume();
            all_bytes += queued_[i];
        }
        for (unsigned i = 0; i < clients; ++i)
            clients_[i]->wait_for_bytes(all_bytes - queued_[i]);
        Transcript transcript{code_, {}};
        for (unsigned i = 0; i < clients; ++i) {
            EXPECT_FALSE(clients_[i]->ended()) << "client " << i << " was disconnected";
            Session session;
            session.name = "client " + std::to_string(i);
            session.sender = i;
            session.sent = clients_[i]->sent_bytes();
            session.received = clients_[i]->received();
            session.delivered_before.resize(clients);
            transcript.sessions.push_back(std::move(session));
        }
        EXPECT_THAT(violations_in(transcript), testing::IsEmpty());
        EXPECT_EQ(server_->count(" left: "), 0U);
        EXPECT_GE(server_->count(" died "), killed_.size());
        EXPECT_EQ(server_->stop(), 0);
        EXPECT_TRUE(server_->process().group_is_gone());
    }

    std::mt19937_64 random_{base_seed()};
    StreamCode code_{base_seed()};
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::uint64_t> queued_ = std::vector<std::uint64_t>(clients);
    std::set<pid_t> killed_;
};

TEST_F(TortureTest, NoClientNoticesThatAWorkerIsKilled) {
    begin({"--workers", "2", "--spares", "4", "--log-size", "64K", "--stall-limit", "600",
        "--log-level", "info"});
    kill_while_all_talk(number_from_environment("CHATSERV_TEST_KILLS", 300));
    if (!HasFatalFailure())
        expect_that_nobody_noticed();
}

} // namespace
} // namespace chatserv::test
