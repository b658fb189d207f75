// One round of torture: position-coded streams run between clients in both directions over IPv4 and
// IPv6, while workers are killed or stopped at random instants, one, several or all at once. On
// request, any process of the server is struck, and groups of them.
//
// Residents stay and send the whole time. Some of them read slowly, so that workers die with full
// sockets, and the log is small, so that they die with a full log. Visitors join, send or only
// read, and leave in one of the usual ways. On request, workers are drained meanwhile, so that
// clients are moving when workers die.
#pragma once

#include "tests/crash/household_striker.h"
#include "tests/crash/lasting_control.h"
#include "tests/harness/client.h"
#include "tests/harness/server.h"
#include "tests/harness/striker.h"
#include "tests/harness/temporary_directory.h"
#include "tests/oracle/tally.h"
#include "tests/oracle/transcript.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace chatserv::test {

struct TortureOptions {
    std::string binary{}; // empty: the usual build
    std::uint64_t strikes = 250;
    bool stops = true; // some workers are stopped, not killed
    bool visitors = true;
    bool drains = false;
    bool any_process = false;      // the master and the keeper are struck too
    std::string fault{};           // tests/crash/faulty_master
    std::uint64_t renewals_in = 0; // turns, on average; 0: none (tests/crash/renewing_master)
};

class Torture {
public:
    Torture(Loop& loop, std::uint64_t seed, const TortureOptions& options);

    // Runs the round to the server's end. Returns everything that a client could have noticed:
    // nothing for a correct server.
    [[nodiscard]] std::vector<std::string> run();

    [[nodiscard]] std::uint64_t killed() const { return striker_.killed() + any_.killed(); }
    [[nodiscard]] std::uint64_t stopped() const { return striker_.stopped() + any_.stopped(); }
    [[nodiscard]] std::uint64_t masters() const { return any_.masters(); }
    [[nodiscard]] std::uint64_t keepers() const { return any_.keepers(); }
    [[nodiscard]] std::size_t visits() const { return people_.size() - residents; }
    // How often the master replaced the channels of all workers.
    [[nodiscard]] std::uint64_t renewed() const { return renewed_; }
    // How often a client moved from a live worker to another.
    [[nodiscard]] std::uint64_t moved() const { return moved_; }

private:
    static constexpr unsigned residents = 6;
    static constexpr std::size_t visitors_at_once = 3;

    struct Person {
        std::unique_ptr<Client> client{};
        Session session{};
        Tally tally{};
        std::uint64_t queued_bytes = 0;
        std::chrono::steady_clock::time_point invited = std::chrono::steady_clock::now();
        bool joined = false;
        bool leaving = false; // has begun to
        bool gone = false;    // and is
    };

    [[nodiscard]] bool someone_was_cut() const;
    [[nodiscard]] static bool is_overdue(const Person& person);
    [[nodiscard]] bool someone_waits_long() const;
    void invite(bool slow);
    void speak(Person& person, std::uint64_t bytes);
    void everyone_speaks(std::uint64_t stream_bytes_max);
    void visitors_come_and_go();
    void begin_to_leave(Person& visitor);
    void strike();
    void drain();
    [[nodiscard]] std::vector<std::string> check_books();
    [[nodiscard]] std::uint64_t count_moves();
    [[nodiscard]] std::uint64_t count_renewals();
    void observe();
    void send_stream_ends();
    [[nodiscard]] std::vector<PerSender> delivered() const;
    [[nodiscard]] std::vector<std::string> violations();

    Loop& loop_;
    std::mt19937_64 random_;
    TortureOptions options_;
    StreamCode code_;
    bool two_families_;
    TemporaryDirectory folder_;
    std::unique_ptr<Server> server_;
    LastingControl control_;
    std::set<std::size_t> drained_; // numbers of workers
    std::uint64_t moved_ = 0;
    std::uint64_t renewed_ = 0;
    std::vector<Person> people_; // residents first
    std::size_t log_lines_seen_ = 0;
    std::vector<pid_t> workers_;     // the last process known of each
    std::set<std::string> joined_{}; // addresses
    Striker striker_{};
    HouseholdStriker any_;
};

} // namespace chatserv::test
