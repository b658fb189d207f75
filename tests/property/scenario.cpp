#include "tests/property/scenario.h"

#include "tests/harness/seed.h"
#include "tests/oracle/stream_code.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace chatserv::test {

namespace {

constexpr std::size_t clients_max = 40;
constexpr std::size_t steps_count = 150;
constexpr std::size_t stayers = 2; // clients 0 and 1
constexpr std::uint64_t smallest_log_bytes = 64 * 1024;
constexpr std::uint64_t sent_bytes_max = 24 * smallest_log_bytes; // of all clients together

// Not <random>'s distributions: their results differ from one standard library to the next, and a
// seed must mean the same scenario everywhere.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}
    // From `low` to `high`, both included.
    std::uint64_t between(std::uint64_t low, std::uint64_t high) {
        state_ = mixed(state_);
        return low + state_ % (high - low + 1);
    }
    bool one_in(std::uint64_t n) { return between(1, n) == 1; }

private:
    std::uint64_t state_;
};

// Writes the plan, and keeps track of which clients would be present if each one that connects got
// in.
class Author {
public:
    explicit Author(std::uint64_t seed) : dice_(seed) { scenario_.seed = seed; }
    Scenario write();

private:
    void add(Action action, std::size_t client, std::uint64_t bytes = 0);
    void resume_those_due();
    void resume(std::size_t client);
    void write_step();
    void come_and_go();
    void join();
    void fill_the_table();
    void send();
    void leave();
    void pause();
    [[nodiscard]] std::uint64_t size_of_send();
    // One of the present clients, counted from `from` in the order in which they joined.
    [[nodiscard]] std::optional<std::size_t> someone(std::size_t from);

    struct Pause {
        std::size_t client;
        std::size_t until_step;
    };

    Dice dice_;
    Scenario scenario_;
    std::vector<std::size_t> present_;
    std::vector<Pause> pauses_;
    std::size_t steps_written_ = 0;
    std::uint64_t sent_bytes_ = 0;
};

Scenario Author::write() {
    scenario_.users = static_cast<unsigned>(dice_.one_in(3) ? dice_.between(3, 9) : 10);
    scenario_.log_size = dice_.one_in(3) ? "" : "64K";
    for (std::size_t i = 0; i < stayers; ++i)
        join();
    add(Action::await_joins, 0);
    for (; steps_written_ < steps_count; ++steps_written_) {
        resume_those_due();
        write_step();
    }
    while (!pauses_.empty())
        resume(pauses_.front().client);
    if (dice_.one_in(2))
        scenario_.replay = std::to_string(dice_.between(1, 40)) + "K";
    return scenario_;
}

void Author::add(Action action, std::size_t client, std::uint64_t bytes) {
    const auto turns = static_cast<unsigned>(dice_.one_in(3) ? dice_.between(1, 12) : 0);
    scenario_.steps.push_back({action, client, bytes, turns});
}

void Author::resume_those_due() {
    const std::vector<Pause> pauses = pauses_;
    for (const Pause& pause : pauses) {
        if (pause.until_step <= steps_written_)
            resume(pause.client);
    }
}

void Author::resume(std::size_t client) {
    add(Action::resume, client);
    std::erase_if(pauses_, [&](const Pause& pause) { return pause.client == client; });
}

void Author::write_step() {
    const std::uint64_t choice = dice_.between(1, 100);
    if (choice <= 20)
        come_and_go();
    else if (choice <= 22)
        fill_the_table();
    else if (choice <= 28)
        pause();
    else if (choice <= 34)
        add(Action::await_joins, 0);
    else
        send();
}

void Author::come_and_go() {
    if (present_.size() == scenario_.users || dice_.one_in(2))
        leave();
    else
        join();
}

void Author::join() {
    const std::size_t client = scenario_.clients.size();
    if (client == clients_max)
        return;
    ClientPlan plan;
    if (client < senders_max)
        plan.sender = static_cast<unsigned>(client);
    if (client >= stayers && dice_.one_in(2))
        plan.role = dice_.one_in(2) ? Role::listen : Role::speak;
    plan.ipv6 = dice_.one_in(2);
    plan.receive_buffer_bytes = dice_.one_in(3) ? static_cast<int>(dice_.between(2048, 16384)) : 0;
    scenario_.clients.push_back(plan);
    add(Action::join, client);
    // A client beyond a full table is refused, and the driver skips its actions.
    if (present_.size() < scenario_.users)
        present_.push_back(client);
}

// ... and one more, which must be refused.
void Author::fill_the_table() {
    if (pauses_.empty())
        add(Action::await_joins, 0);
    while (present_.size() < scenario_.users && scenario_.clients.size() < clients_max)
        join();
    join();
}

void Author::send() {
    const auto client = someone(0);
    if (!client || !scenario_.clients[*client].sender)
        return;
    const std::uint64_t bytes = std::min(size_of_send(), sent_bytes_max - sent_bytes_);
    sent_bytes_ += bytes;
    if (bytes > 0)
        add(Action::send, *client, bytes);
}

std::uint64_t Author::size_of_send() {
    switch (dice_.between(0, 9)) {
    case 0:
        return 1;
    case 1:
    case 2:
        return dice_.between(2, 20);
    case 3:
        return dice_.between(smallest_log_bytes / 2, 4 * smallest_log_bytes);
    case 4:
    case 5:
        return dice_.between(1000, 20000);
    default:
        return dice_.between(20, 500);
    }
}

void Author::leave() {
    const auto client = someone(stayers);
    if (!client)
        return;
    constexpr std::array ways{Action::half_close, Action::half_close, Action::reset, Action::close};
    Action way = ways[dice_.between(0, ways.size() - 1)];
    const bool listens = scenario_.clients[*client].role == Role::listen;
    // Its end of file is not its end, and a close sends nothing else.
    if (listens && way == Action::close)
        way = Action::reset;
    add(way, *client);
    if (!listens || way != Action::half_close)
        std::erase(present_, *client);
}

void Author::pause() {
    const auto client = someone(0);
    const auto is_client = [&](const Pause& pause) { return pause.client == *client; };
    if (!client || std::any_of(pauses_.begin(), pauses_.end(), is_client))
        return;
    add(Action::pause, *client);
    pauses_.push_back({*client, steps_written_ + dice_.between(2, 20)});
}

std::optional<std::size_t> Author::someone(std::size_t from) {
    if (present_.size() <= from)
        return std::nullopt;
    return present_[dice_.between(from, present_.size() - 1)];
}

} // namespace

Scenario make_scenario(std::uint64_t seed) {
    return Author(seed).write();
}

std::ostream& operator<<(std::ostream& out, const Scenario& scenario) {
    return out << "scenario CHATSERV_TEST_SEED=" << scenario.seed << ": " << scenario.users
               << " users, " << scenario.clients.size() << " clients, " << scenario.steps.size()
               << " steps, log size "
               << (scenario.log_size.empty() ? "by default" : scenario.log_size) << ", replay "
               << (scenario.replay.empty() ? "none" : scenario.replay);
}

} // namespace chatserv::test
