#include "tests/crash/source_kill_test.h"

#include "tests/harness/process_figures.h"
#include "tests/harness/seed.h"

#include <algorithm>
#include <csignal>
#include <iostream>

namespace chatserv::test {

bool SourceKillTest::is_all() {
    return number_from_environment("CHATSERV_TEST_ALL_TAKEOVERS", 0) == 1;
}

void SourceKillTest::kill_at_points() {
    (void)life(0);
    const std::uint64_t all_points = points_;
    const std::uint64_t wanted = is_all() ? all_points : 30;
    ASSERT_GT(all_points, 30U);
    std::uint64_t kills = 0;
    for (std::uint64_t i = 0; i < wanted && !HasFailure(); ++i)
        kills += life(1 + (base_seed() + i * all_points / wanted) % all_points) ? 1 : 0;
    std::cout << kills << " processes of a source killed within " << all_points << " points"
              << std::endl;
    if (HasFailure())
        return;
    EXPECT_GE(kills, wanted * 3 / 4);
    stop_and_expect_nothing_left();
}

bool SourceKillTest::life(std::uint64_t kill_at) {
    ++rounds_;
    bool reached = false;
    std::string place = "not yet";
    try {
        begin_life(kill_at);
        exchange();
        reached = is_dead();
        points_ = victim_->points();
        if (!reached && source_processes_ > 0)
            victim_->kill();
        place = victim_->place();
        wait_until([&] { return is_lost() || (source_processes_ == 0 && is_connected()); },
            "what has become of the source");
        if (is_lost())
            bring_back();
        wait_until_all_have_what_is_due();
        wait_for_rest();
        expect_exact_books();
    } catch (const std::exception& failure) {
        ADD_FAILURE() << failure.what();
        if (victim_)
            place = victim_->place();
    }
    keeper_victim_.reset();
    successor_.reset();
    victim_.reset();
    if (HasFailure())
        ADD_FAILURE() << "in round " << rounds_ << ", to be killed at point " << kill_at
                      << ", killed " << place;
    return reached;
}

// A master that has lost the source tries again after some time, which a busy machine may let pass
// before that master is killed: then the source is lost once more.
void SourceKillTest::begin_life(std::uint64_t kill_at) {
    do {
        lose_source();
        prepare();
        connections_before_ = connections();
        losses_before_ = losses();
        successor_.reset();
        keeper_victim_.emplace(keeper(), Victim::Unit::system_call, [=, this](pid_t next_master) {
            const auto source_started = [=, this](pid_t process) {
                victim_.emplace(process, Victim::Unit::system_call, Tracer::Begin::attached);
                if (source_processes_ == 0)
                    victim_->may_end();
                victim_->go_on(kill_at);
                return false;
            };
            successor_.emplace(next_master, Victim::Unit::system_call, source_started,
                Tracer::Begin::attached_following);
            successor_->go_on(0);
            return false;
        });
        keeper_victim_->go_on(0);
        kill_master();
        wait_until([&] { return victim_ || is_connected(); }, "the process of a source");
        keeper_victim_.reset();
    } while (!victim_);
    successor_.reset();
}

void SourceKillTest::lose_source() {
    wait_for_rest();
    const std::size_t before = losses();
    end_source();
    wait_until([&] { return losses() > before; }, "the source's end");
}

void SourceKillTest::end_source() {
    for (const ProcessState& member : members_of(server_->process().pid()))
        if (member.state != 'Z' && title_of(member.pid).starts_with("chatserv: source "))
            ::kill(member.pid, SIGKILL);
}

void SourceKillTest::bring_back() {
    const std::size_t before = connections();
    judge_loss();
    kill_master();
    wait_until([&] { return connections() > before; }, "the next process of the source");
    welcome();
}

void SourceKillTest::kill_master() {
    pid_t victim = 0;
    wait_until([&] { return (victim = master()) != 0; }, "a master");
    ::kill(victim, SIGKILL);
}

bool SourceKillTest::lives_until(const std::function<bool()>& condition, std::string_view what) {
    wait_until([&] { return is_dead() || condition(); }, what);
    return !is_dead();
}

bool SourceKillTest::lives_until_rest() {
    wait_for_rest([&] { return is_dead(); });
    return !is_dead();
}

bool SourceKillTest::lives_until_all_is_passed() {
    return lives_until([&] { return everybody_has_what_is_due(); }, "all that is due") &&
           lives_until_rest();
}

bool SourceKillTest::everybody_has_what_is_due() const {
    return std::ranges::all_of(people_, [](const Person& person) {
        return person.client->received().size() >= person.due.size() || person.client->ended();
    });
}

void SourceKillTest::make_due(const std::string& text) {
    for (Person& person : people_)
        person.due += text;
}

std::string SourceKillTest::long_text(std::string_view begin) const {
    return text(begin) + std::string(50'000, '.') + ";\n";
}

// The source is connected, so it has left as often as it was connected before.
void SourceKillTest::expect_exact_books() {
    for (const Person& person : people_) {
        EXPECT_FALSE(person.client->ended());
        EXPECT_EQ(person.client->received(), person.due);
    }
    const nlohmann::json said = stats();
    EXPECT_EQ(said["users"], people_.size() + 1);
    EXPECT_EQ(said["accepted"], people_.size() + connections());
    std::size_t left = 0;
    for (const auto& number : said["left"])
        left += number.get<std::size_t>();
    EXPECT_EQ(left, connections() - 1) << said;
    EXPECT_EQ(said["left"]["in_doubt"], 0);
    EXPECT_EQ(said["left"]["stalled"], 0);
    expect_that_no_descriptor_is_left_open();
}

} // namespace chatserv::test
