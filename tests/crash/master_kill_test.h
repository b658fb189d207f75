// The fixture of tests that kill a master at every one of its points, or the keeper, or the master
// after it: a server, its users with the text that each must receive, and what must hold when the
// next master serves.
//
// A step of an exchange begins when the server is at rest, so that every round is alike. Lines of
// the log show nothing here: a master that dies takes a line with it.
#pragma once

#include "tests/crash/victim.h"
#include "tests/harness/temporary_directory.h"
#include "tests/integration/server_test.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

class MasterKillTest : public ServerTest {
protected:
    struct Person {
        std::unique_ptr<Client> client;
        std::string due{};
    };

    // Begins; skips the test on a system that has no keepers or cannot trace processes.
    void SetUp() override;

    // Starts a server, replacing the one before, and joins the users.
    void begin();

    // Where a master dies: at its `kill_at`th point of the exchange (0: at none), counted from that
    // many ends of system calls on.
    struct Death {
        std::uint64_t kill_at = 0;
        Victim::Unit unit = Victim::Unit::system_call;
        std::uint64_t after_calls = 0;
    };
    // A round: a master dies, and nobody notices. One that does not reach its point is killed at
    // rest.
    struct Outcome {
        bool reached = false;
        std::uint64_t points = 0; // up to there, or of the whole exchange
        bool successor_reached = false;
        std::uint64_t successor_points = 0;
    };
    using Exchange = std::function<void()>;
    Outcome round(const Death& death, const Exchange& exchange);
    // Rounds with a death at each point, until an exchange has no more. Returns their number.
    std::uint64_t every_round(const Exchange& exchange);

    // The exchanges.
    void visit();          // a user joins, speaks, hears, and leaves
    void be_turned_away(); // the table is full
    void lose_a_worker();  // a worker dies, and another takes over

    // `from` sends `text`, which becomes due for all others. Does not wait.
    void say(Person& from, const std::string& text);
    // All victims run during these waits; an exchange uses no others.
    void wait_until(const std::function<bool()>& condition, std::string_view what);
    void wait_until_all_have_what_is_due();
    // All processes that a server has, and no zombie, sleep. Or `or_else` holds.
    void wait_for_rest(const std::function<bool()>& or_else = {});

    // The server's process of this title; 0 if there is none.
    [[nodiscard]] pid_t pid_of(const std::string& title) const;
    [[nodiscard]] pid_t keeper() const { return pid_of("chatserv: keeper"); }
    [[nodiscard]] pid_t master() const { return pid_of("chatserv: master"); }

    // At rest: every byte has arrived, once and in order; the counters are exact; no descriptor is
    // left open that a server which was never struck has not.
    void expect_that_nobody_noticed();
    // What is open now, in a server that was never struck, and how many descriptors will be
    // besides.
    void note_descriptors(std::size_t more = 0);
    // The server's counters.
    [[nodiscard]] nlohmann::json stats();
    void expect_that_no_descriptor_is_left_open();
    // The server is told to stop, and leaves nothing behind.
    void stop_and_expect_nothing_left();

    [[nodiscard]] std::string control() const { return folder_.path().string() + "/control"; }
    [[nodiscard]] std::string text(std::string_view words) const;

    TemporaryDirectory folder_;
    std::vector<std::string> more_options_; // of the server; before begin()
    std::vector<Person> people_;
    std::optional<Person> visitor_;
    std::optional<Victim> victim_;
    std::optional<Victim> keeper_victim_;
    std::optional<Victim> successor_; // the next master, where the test kills it too
    bool keeper_struck_ = false;      // the test has killed the keeper of this server
    std::uint64_t sources_ = 0;       // that are connected
    std::size_t source_processes_ = 0;
    std::uint64_t visits_ = 0;
    std::uint64_t refusals_ = 0;
    std::uint64_t rounds_ = 0;

private:
    bool advance_victims();
    void reap_orphans();
    void end_successor(Outcome& outcome);

    std::optional<std::size_t> descriptors_; // of a server that was never struck
};

} // namespace chatserv::test
