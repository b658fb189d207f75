#include "tests/crash/master_kill_test.h"

#include "shared/system/shared_table.h"
#include "tests/crash/server_at_rest.h"
#include "tests/harness/process_figures.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <limits>
#include <stdexcept>

namespace chatserv::test {

namespace {

constexpr std::size_t workers = 2;
constexpr std::size_t spares = 1;
constexpr std::size_t users = 3;
constexpr std::size_t processes = workers + spares + 2; // keeper and master

// The test searches the log for every line it waits for, and a victim is slow.
const std::vector<std::string> options{"--workers", std::to_string(workers), "--spares",
    std::to_string(spares), "--users", "4", "--stall-limit", "600", "--hang-limit", "3600"};

// The dynamic linker resolves all functions at the start, so that its own system calls are not
// among the points.
const std::vector<std::pair<std::string, std::string>> environment{{"LD_BIND_NOW", "1"}};

std::uint64_t sum_of(const nlohmann::json& numbers) {
    std::uint64_t sum = 0;
    for (const auto& number : numbers)
        sum += number.get<std::uint64_t>();
    return sum;
}

// One of each, with its state as proc(5) has it and its title.
std::string processes_of(pid_t group) {
    std::string all;
    for (const ProcessState& member : members_of(group))
        all += "\n  " + std::to_string(member.pid) + " " + member.state + " " +
               title_of(member.pid) + " " + sleep_state({member.pid}).value_or("is not at rest\n");
    return all;
}

} // namespace

void MasterKillTest::SetUp() {
    if (!can_share_descriptors())
        GTEST_SKIP() << "this system has no keeper";
    begin();
    auto obstacle = obstacle_to_rest_state(keeper());
    if (!obstacle)
        obstacle = Tracer::obstacle(master());
    if (obstacle)
        GTEST_SKIP() << *obstacle;
}

void MasterKillTest::begin() {
    people_.clear();
    server_.reset();
    visits_ = 0;
    refusals_ = 0;
    keeper_struck_ = false;
    std::vector<std::string> all = options;
    all.insert(all.end(), {"--control", control()});
    all.insert(all.end(), more_options_.begin(), more_options_.end());
    server_ =
        std::make_unique<Server>(loop_, ServerOptions{.more = all, .environment = environment});
    if (sources_ > 0)
        server_->wait_for_line(" is connected: user ", sources_);
    for (std::size_t i = 0; i < users; ++i)
        people_.push_back({join()});
    wait_for_rest();
    note_descriptors();
    expect_that_nobody_noticed();
}

MasterKillTest::Outcome MasterKillTest::round(const Death& death, const Exchange& exchange) {
    ++rounds_;
    Outcome outcome;
    std::string place = "not yet";
    try {
        wait_for_rest();
        victim_.emplace(master(), death.unit);
        victim_->go_on_after(std::numeric_limits<std::uint64_t>::max(), 0);
        wait_for_rest(); // in its wait again, which the tracer has interrupted
        victim_->go_on_after(death.after_calls, death.kill_at);
        exchange();
        wait_until_all_have_what_is_due();
        wait_for_rest();
        outcome = {.reached = victim_->killed(), .points = victim_->points()};
        place = victim_->place();
        if (!outcome.reached)
            victim_->kill();
        wait_for_rest();
        end_successor(outcome);
        expect_that_nobody_noticed();
    } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
        if (victim_)
            place = victim_->place();
    }
    if (HasFailure() && successor_)
        ADD_FAILURE() << "its successor was killed " << successor_->place();
    keeper_victim_.reset();
    successor_.reset();
    victim_.reset();
    visitor_.reset();
    if (HasFailure())
        ADD_FAILURE() << "in round " << rounds_ << ", to be killed at point " << death.kill_at
                      << " after " << death.after_calls << " ends of calls, killed " << place;
    return outcome;
}

// It must not be stopped at a point of its own when it is asked for its counters.
void MasterKillTest::end_successor(Outcome& outcome) {
    if (!successor_)
        return;
    outcome.successor_reached = successor_->killed();
    outcome.successor_points = successor_->points();
    if (!outcome.successor_reached)
        successor_->kill();
    wait_for_rest();
}

std::uint64_t MasterKillTest::every_round(const Exchange& exchange) {
    // Rounds differ in their points, since the processes take turns as the machine has it: one that
    // did not come to its point is not yet the last.
    constexpr int tries_max = 3;
    const auto dies_at = [&](std::uint64_t point) {
        for (int tried = 0; tried < tries_max && !HasFailure(); ++tried)
            if (round({.kill_at = point}, exchange).reached)
                return true;
        return false;
    };
    std::uint64_t kills = 0;
    while (dies_at(kills + 1))
        ++kills;
    return kills;
}

void MasterKillTest::visit() {
    visitor_.emplace(Person{std::make_unique<Client>(loop_, server_->endpoint())});
    say(*visitor_, text("said by a visitor"));
    wait_until_all_have_what_is_due();
    say(people_[0], text("said to a visitor"));
    wait_until_all_have_what_is_due();
    visitor_->client->half_close();
    wait_until([&] { return visitor_->client->ended(); }, "the visitor to be disconnected");
    EXPECT_EQ(visitor_->client->end_error(), 0);
    EXPECT_EQ(visitor_->client->received(), visitor_->due) << "the visitor";
    visitor_.reset();
    ++visits_;
}

void MasterKillTest::be_turned_away() {
    Client refused(loop_, server_->endpoint());
    wait_until([&] { return refused.ended(); }, "one too many to be turned away");
    EXPECT_EQ(refused.end_error(), 0);
    EXPECT_EQ(refused.received(), "too many users!\n");
    ++refusals_;
}

void MasterKillTest::lose_a_worker() {
    const pid_t worker = pid_of("chatserv: worker 2");
    ::kill(worker, SIGKILL);
    wait_until([&] { return pid_of("chatserv: worker 2") != worker; }, "the worker's death");
    for (Person& person : people_)
        say(person, text("said after a death"));
    wait_until_all_have_what_is_due();
}

void MasterKillTest::say(Person& from, const std::string& text) {
    from.client->send(text);
    for (Person& person : people_)
        person.due += &person == &from ? "" : text;
    if (visitor_ && &*visitor_ != &from)
        visitor_->due += text;
}

void MasterKillTest::wait_until(const std::function<bool()>& condition, std::string_view what) {
    // No event reports what some conditions are about, so the test asks repeatedly.
    const auto give_up = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const bool advanced = advance_victims();
        reap_orphans();
        if (condition())
            return;
        if (std::chrono::steady_clock::now() > give_up)
            throw std::runtime_error("waited in vain for " + std::string(what) + "; there are" +
                                     processes_of(server_->process().pid()));
        loop_.turn(std::chrono::milliseconds(advanced ? 0 : 1));
    }
}

void MasterKillTest::wait_until_all_have_what_is_due() {
    const auto has_all = [](const Person& person) {
        return person.client->received().size() >= person.due.size() || person.client->ended();
    };
    wait_until(
        [&] { return std::ranges::all_of(people_, has_all) && (!visitor_ || has_all(*visitor_)); },
        "all that is due");
}

bool MasterKillTest::advance_victims() {
    bool any = false;
    for (auto* const victim : {&victim_, &keeper_victim_, &successor_})
        any = (*victim && (*victim)->advance()) || any;
    return any;
}

// Those of a server whose keeper or master has died.
void MasterKillTest::reap_orphans() {
    std::vector<pid_t> traced;
    for (const auto* const victim : {&victim_, &keeper_victim_, &successor_})
        if (const auto pid = *victim ? (*victim)->traced() : std::nullopt)
            traced.push_back(*pid);
    server_->process().reap_orphans(traced);
}

void MasterKillTest::wait_for_rest(const std::function<bool()>& or_else) {
    std::optional<std::string> before;
    const auto rests = [&] {
        std::vector<pid_t> all;
        for (const ProcessState& member : members_of(server_->process().pid()))
            all.push_back(member.pid);
        const bool complete =
            all.size() == processes + source_processes_ && keeper() != 0 && master() != 0;
        auto now = complete ? sleep_state(all) : std::nullopt;
        const bool same = now && now == before;
        before = std::move(now);
        return same || (or_else && or_else());
    };
    wait_until(rests, "a server at rest");
}

pid_t MasterKillTest::pid_of(const std::string& title) const {
    for (const ProcessState& member : members_of(server_->process().pid()))
        if (member.state != 'Z' && title_of(member.pid) == title)
            return member.pid;
    return 0;
}

void MasterKillTest::expect_that_nobody_noticed() {
    for (std::size_t i = 0; i < people_.size(); ++i) {
        EXPECT_FALSE(people_[i].client->ended()) << "user " << i << " was disconnected";
        EXPECT_EQ(people_[i].client->received(), people_[i].due) << "user " << i;
    }
    const nlohmann::json said = stats();
    EXPECT_EQ(said["users"], people_.size() + sources_);
    EXPECT_EQ(said["accepted"], people_.size() + sources_ + visits_);
    EXPECT_EQ(said["left"]["end_of_file"], visits_);
    EXPECT_EQ(sum_of(said["left"]), visits_) << said;
    EXPECT_EQ(said["turned_away"]["table_full"], refusals_);
    EXPECT_EQ(sum_of(said["turned_away"]), refusals_) << said;
    expect_that_no_descriptor_is_left_open();
}

void MasterKillTest::expect_that_no_descriptor_is_left_open() {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (descriptors_of(keeper()) != descriptors_ && std::chrono::steady_clock::now() < give_up)
        loop_.turn(std::chrono::milliseconds(1));
    EXPECT_EQ(descriptors_of(keeper()), descriptors_) << "of a server that was never struck";
}

void MasterKillTest::note_descriptors(std::size_t more) {
    descriptors_ = descriptors_of(keeper());
    if (descriptors_)
        *descriptors_ += more;
}

nlohmann::json MasterKillTest::stats() {
    const Finished finished = run(loop_, {{chatserv_path(), "stats", "--control", control()}});
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return nlohmann::json::parse(finished.output);
}

void MasterKillTest::stop_and_expect_nothing_left() {
    ::kill(keeper(), SIGTERM);
    wait_until([&] { return members_of(server_->process().pid()).size() <= 1; }, "the stop");
    const int status = server_->process().wait_for_exit();
    EXPECT_TRUE(status == 0 || keeper_struck_) << "status " << status;
    EXPECT_TRUE(server_->process().group_is_gone());
    for (const Person& person : people_) {
        person.client->wait_for_end();
        EXPECT_EQ(person.client->end_error(), 0);
        EXPECT_EQ(person.client->received(), person.due);
    }
    EXPECT_FALSE(std::filesystem::exists(control())) << "the control socket";
}

std::string MasterKillTest::text(std::string_view words) const {
    return "round " + std::to_string(rounds_) + ": " + std::string(words) + ";\n";
}

} // namespace chatserv::test
