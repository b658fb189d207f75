// What the tests that kill a worker at every one of its points have in common: a server that lives
// through all the kills, its users with what each of them is due, and the round that ends in one.
//
// The users come in pairs, one to worker 1, the witness, and one to worker 2, the victim. Each step
// of what they say begins when the server is at rest, so that one round goes like the other, and
// the order in which everything is said is known.
#pragma once

#include "tests/crash/victim.h"
#include "tests/integration/server_test.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatserv::test {

class KillPointTest : public ServerTest {
protected:
    struct User {
        std::unique_ptr<Client> client;
        std::string due;
    };

    KillPointTest(Victim::Unit unit, std::size_t users, std::size_t spares = 2) :
        unit_(unit), users_wanted_(users), spares_(spares) {}

    // Begins, and skips the test where nothing can be traced.
    void SetUp() override;

    // Starts a server, in the place of the one before, and has the users join.
    void begin();

    // Runs the exchange on a victim that is to die at its `kill_at`th point (0: at none), and then
    // expects that no user of them noticed. Where it gets by with fewer points it is killed at
    // rest: every round has a worker that has done nothing yet but take over.
    struct Outcome {
        bool reached = false;     // the point at which it was to die
        std::uint64_t points = 0; // up to there, or of the whole exchange
        std::uint64_t successor_points = 0;
        bool successor_reached = false;
    };
    Outcome round(std::uint64_t kill_at);

    // What happens in a round; the victim is stopped and the server at rest when it begins.
    virtual void exchange(Victim& victim, std::uint64_t kill_at) = 0;

    // Has them say it, and `due` for all others. Does not wait.
    void say(User& from, const std::string& text);
    // A user more, if only for this round: due what is said from now on.
    User& visitor(std::unique_ptr<Client> client);
    void visitor_left();

    // The victim goes on during these; all waits of an exchange are of them.
    void wait_until(const std::function<bool()>& condition, std::string_view what);
    void wait_until_all_have_what_is_due();
    void wait_for_rest();

    // The one spare, where there is but one.
    [[nodiscard]] pid_t spare_pid();

    // Text of this round alone.
    [[nodiscard]] std::string text(std::string_view words) const;

    // The server stops as it should: at the end of all rounds.
    void end();

    std::vector<User> users_;
    std::optional<User> visitor_;
    // The spare that takes over from the victim, where an exchange has it die as well.
    std::optional<Victim> successor_;

private:
    bool advance_victims();
    void end_successor(Outcome& outcome);
    void expect_that_nobody_noticed();

    Victim::Unit unit_;
    std::size_t users_wanted_;
    std::size_t spares_;
    Victim* victim_ = nullptr; // of the round that runs
    std::uint64_t rounds_ = 0;
    std::size_t kills_ = 0;
    std::size_t visits_ = 0;
};

} // namespace chatserv::test
