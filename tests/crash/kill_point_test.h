// The fixture of tests that kill a worker at every one of its points: a server that survives all
// the kills, its users with the text that each must receive, and the round that ends in one kill.
//
// The users join in pairs, one on worker 1, the witness, and one on worker 2, the victim. Each step
// of their exchange begins when the server is at rest, so that every round is alike and the order
// of all text is known.
#pragma once

#include "tests/crash/victim.h"
#include "tests/integration/server_test.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatserv::test {

class KillPointTest : public ServerTest {
protected:
    struct User {
        std::unique_ptr<Client> client;
        std::string due;
    };

    // `options`: of the server, besides those of all these tests.
    KillPointTest(Victim::Unit unit, std::size_t users, std::size_t spares = 2,
        std::vector<std::string> options = {}) :
        options_(std::move(options)),
        unit_(unit), users_wanted_(users), spares_(spares) {}

    // Begins; skips the test on a system that cannot trace processes.
    void SetUp() override;

    // Starts a server, replacing the one before, and joins the users.
    void begin();

    // Runs the exchange with a victim that dies at its `kill_at`th point (0: at none), and expects
    // that no user noticed. A victim that does not reach that point is killed at rest, so every
    // round begins with a worker that has only taken over.
    struct Outcome {
        bool reached = false;     // the point of its death was reached
        std::uint64_t points = 0; // up to there, or of the whole exchange
        std::uint64_t successor_points = 0;
        bool successor_reached = false;
    };
    Outcome round(std::uint64_t kill_at);
    // Rounds with a death at each point of an exchange of system calls, until one has no more; then
    // end(). Fails if there were fewer than `kills_min`: then it was not a whole exchange.
    void kill_at_every_point(std::uint64_t kills_min);

    // The exchange of a round. When it begins, the victim is stopped and the server is at rest.
    virtual void exchange(Victim& victim, std::uint64_t kill_at) = 0;

    // `from` sends `text`, which becomes due for all others. Does not wait.
    void say(User& from, const std::string& text) { say(from, text, text); }
    // The same, where `due` becomes due instead.
    void say(User& from, const std::string& text, const std::string& due);
    // One more user for this round. It is due everything sent from now on.
    User& visitor(std::unique_ptr<Client> client);
    void visitor_left();

    // The victim runs during these waits; an exchange uses no others.
    void wait_until(const std::function<bool()>& condition, std::string_view what);
    void wait_until_all_have_what_is_due();
    void wait_for_rest();

    // The spare, if there is exactly one.
    [[nodiscard]] pid_t spare_pid();

    // Text of this round alone.
    [[nodiscard]] std::string text(std::string_view words) const;

    // Stops the server and expects an orderly end, after all rounds.
    void end();

    // Of the server, besides those of all these tests; before begin().
    std::vector<std::string> options_;
    // How many sources are connected before the users join: a worker has as many as the other.
    std::size_t sources_ = 0;
    // The first of these addresses is for users who talk.
    std::vector<std::string> listen_{"127.0.0.1:0"};
    std::vector<User> users_;
    std::optional<User> visitor_;
    // The spare that takes over from the victim, if the exchange kills it too.
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
