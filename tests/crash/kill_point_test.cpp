#include "tests/crash/kill_point_test.h"

#include "tests/crash/server_at_rest.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>

namespace chatserv::test {

namespace {

constexpr std::size_t workers = 2;

// Only the test itself delays processes here, for as long as it needs.
const std::vector<std::string> options{
    "--workers", std::to_string(workers), "--stall-limit", "600", "--hang-limit", "3600"};

// The dynamic linker resolves all functions at the start, so that its own system calls are not
// among the points.
const std::vector<std::pair<std::string, std::string>> environment{{"LD_BIND_NOW", "1"}};

} // namespace

void KillPointTest::SetUp() {
    begin();
    auto obstacle = obstacle_to_rest_state(server_->master_pid());
    if (!obstacle)
        obstacle = Tracer::obstacle(server_->worker_pids().at(1));
    if (obstacle)
        GTEST_SKIP() << *obstacle;
}

void KillPointTest::begin() {
    users_.clear();
    server_.reset();
    kills_ = 0;
    visits_ = 0;
    std::vector<std::string> all_options = options;
    all_options.insert(all_options.end(), {"--spares", std::to_string(spares_)});
    all_options.insert(all_options.end(), options_.begin(), options_.end());
    server_ = std::make_unique<Server>(
        loop_, ServerOptions{Program::chatserv, listen_, all_options, environment});
    if (sources_ > 0)
        server_->wait_for_line(" is connected: user ", sources_);
    for (std::size_t i = 0; i < users_wanted_; ++i) {
        users_.push_back({std::make_unique<Client>(loop_, server_->endpoint()), {}});
        const Joined joined = server_->wait_for_join(users_.back().client->address());
        EXPECT_EQ(joined.worker, i % 2 == 0 ? 1 : 2) << "users go to the least busy worker";
    }
}

void KillPointTest::kill_at_every_point(std::uint64_t kills_min) {
    std::uint64_t kills = 0;
    Outcome last = round(++kills);
    while (last.reached && !HasFailure())
        last = round(++kills);
    if (HasFailure())
        return;
    --kills; // the last round had no kill
    std::cout << "an exchange of " << last.points / 2 << " system calls; " << kills
              << " workers killed, before and after each" << std::endl;
    EXPECT_GE(kills, kills_min);
    end();
}

KillPointTest::Outcome KillPointTest::round(std::uint64_t kill_at) {
    ++rounds_;
    Outcome outcome;
    std::optional<Victim> victim;
    try {
        wait_for_rest();
        const pid_t pid = server_->worker_pids().at(1);
        victim_ = &victim.emplace(pid, unit_);
        exchange(*victim, kill_at);
        wait_until_all_have_what_is_due();
        wait_for_rest();
        outcome = {victim->killed(), victim->points(), 0, false};
        if (!outcome.reached)
            victim->kill();
        ++kills_;
        wait_until([&] { return server_->worker_pids().at(1) != pid; }, "a successor");
        end_successor(outcome);
        wait_for_rest();
        expect_that_nobody_noticed();
    } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
    }
    victim_ = nullptr;
    if (HasFailure() && successor_)
        ADD_FAILURE() << "its successor was killed " << successor_->place();
    successor_.reset();
    if (HasFailure())
        ADD_FAILURE() << (server_->process().exited() ? "the master has ended as well; " : "")
                      << "in round " << rounds_ << ", to be killed at point " << kill_at
                      << ", killed " << (victim ? victim->place() : "not yet");
    return outcome;
}

// If the victim did not reach its point, its successor takes over only now.
void KillPointTest::end_successor(Outcome& outcome) {
    if (!successor_)
        return;
    wait_until_all_have_what_is_due();
    wait_for_rest();
    outcome.successor_points = successor_->points();
    outcome.successor_reached = successor_->killed();
    if (!outcome.successor_reached)
        successor_->kill();
    ++kills_;
}

void KillPointTest::expect_that_nobody_noticed() {
    for (std::size_t i = 0; i < users_.size(); ++i) {
        EXPECT_FALSE(users_[i].client->ended()) << "user " << i << " was disconnected";
        EXPECT_EQ(users_[i].client->received(), users_[i].due) << "user " << i;
    }
    EXPECT_EQ(server_->count(" left: "), visits_) << "only visitors leave";
    EXPECT_EQ(server_->count(" left: end of file"), visits_);
    EXPECT_EQ(server_->count(" died (pid "), kills_) << "only victims die";
}

void KillPointTest::say(User& from, const std::string& text, const std::string& due) {
    from.client->send(text);
    for (User& user : users_)
        user.due += &user == &from ? "" : due;
    if (visitor_ && &*visitor_ != &from)
        visitor_->due += due;
}

KillPointTest::User& KillPointTest::visitor(std::unique_ptr<Client> client) {
    return visitor_.emplace(User{std::move(client), {}});
}

void KillPointTest::visitor_left() {
    ++visits_;
    visitor_.reset();
}

void KillPointTest::wait_until(const std::function<bool()>& condition, std::string_view what) {
    const auto condition_after_a_step = [&] {
        advance_victims();
        return condition();
    };
    loop_.wait_until(condition_after_a_step, what);
}

void KillPointTest::wait_until_all_have_what_is_due() {
    const auto has_all = [](const User& user) {
        return user.client->received().size() >= user.due.size() || user.client->ended();
    };
    for (std::size_t i = 0; i < users_.size(); ++i)
        wait_until(
            [&] { return has_all(users_[i]); }, "all that is due to user " + std::to_string(i));
    if (visitor_)
        wait_until([&] { return has_all(*visitor_); }, "all that is due to the visitor");
}

bool KillPointTest::advance_victims() {
    const bool first = victim_ != nullptr && victim_->advance();
    const bool second = successor_ && successor_->advance();
    return first || second;
}

// No event reports that a process sleeps, so the test asks repeatedly.
void KillPointTest::wait_for_rest() {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    std::optional<std::string> before;
    for (;;) {
        auto now =
            advance_victims() ? std::nullopt : rest_state(server_->master_pid(), workers + spares_);
        if (now && now == before)
            return;
        before = std::move(now);
        if (std::chrono::steady_clock::now() > give_up)
            throw std::runtime_error("the server was never at rest");
        loop_.turn(std::chrono::milliseconds(1));
    }
}

pid_t KillPointTest::spare_pid() {
    const std::vector<pid_t> manned = server_->worker_pids();
    for (const pid_t pid : child_pids_of(server_->master_pid())) {
        if (std::find(manned.begin(), manned.end(), pid) == manned.end())
            return pid;
    }
    throw std::runtime_error("there is no spare worker");
}

std::string KillPointTest::text(std::string_view words) const {
    return "round " + std::to_string(rounds_) + ": " + std::string(words) + ";\n";
}

void KillPointTest::end() {
    EXPECT_EQ(server_->stop(), 0);
    EXPECT_TRUE(server_->process().group_is_gone());
}

} // namespace chatserv::test
