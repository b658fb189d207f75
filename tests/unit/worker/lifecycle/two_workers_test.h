// Two workers of this process on one segment, and the part of the master that moves clients between
// them. The sockets are of this process too.
#pragma once

#include "tests/unit/ids.h"
#include "worker/relay.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace chatserv {

class TwoWorkers {
public:
    explicit TwoWorkers(const RelaySettings& settings = {.stall_limit_ms = 3'600'000}) :
        TwoWorkers(SegmentConfig{
            .users = 4, .workers = 2, .log_bytes = log_bytes_min, .settings = settings}) {}
    // `config`: of four users and two workers.
    explicit TwoWorkers(const SegmentConfig& config) : segment_(Segment::create(config)) {
        begin_worker(entry_0);
        begin_worker(entry_1);
    }

    // Replaces the worker of an entry, which dies; the new one is given the entry's clients.
    void begin_worker(EntryId entry) {
        Worker& worker = workers_[index_of(entry)];
        worker.relay.reset();
        worker.events.emplace();
        worker.relay.emplace(segment_, entry, *worker.events, doorbells_,
            segment_.heartbeats()[index_of(entry)], account_of, segment_.first_settings());
        for (uint32_t slot = 0; slot < sockets_.size(); ++slot) {
            const SlotStatus status = status_of(users_[SlotId{slot}]);
            if (status.state == SlotState::free || status.owner != entry)
                continue;
            EXPECT_NE(users_.orphan(client_id(slot), entry), SlotState::free);
            send_to(entry, slot);
        }
        worker.relay->settle();
    }

    [[nodiscard]] Relay& worker(EntryId entry) { return *workers_[index_of(entry)].relay; }
    [[nodiscard]] SlotStatus status(uint32_t slot) const { return status_of(users_[SlotId{slot}]); }

    void send_to(EntryId entry, uint32_t slot) {
        worker(entry).receive(client_id(slot), UniqueFd(::dup(sockets_[slot].get())));
    }

    void join(uint32_t slot, EntryId entry) {
        FdPair ends = make_stream_pair();
        peers_[slot] = std::move(ends.first);
        sockets_[slot] = std::move(ends.second);
        constexpr int buffer_bytes = 16'384;
        for (const UniqueFd* const end : {&peers_[slot], &sockets_[slot]})
            for (const int option : {SO_SNDBUF, SO_RCVBUF})
                ASSERT_EQ(
                    ::setsockopt(end->get(), SOL_SOCKET, option, &buffer_bytes, sizeof(int)), 0);
        users_.assign(client_id(slot), entry);
        send_to(entry, slot);
        worker(entry).settle();
    }

    void say(uint32_t slot, const std::string& text) {
        ASSERT_EQ(::write(peers_[slot].get(), text.data(), text.size()),
            static_cast<ssize_t>(text.size()));
    }
    std::string heard_by(uint32_t slot) {
        std::string text(200'000, '\0');
        const ssize_t got = ::read(peers_[slot].get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return text;
    }

    // The worker handles all events of its kqueue but timers. Returns how many there were.
    size_t take_events(EntryId entry) {
        size_t count = 0;
        for (const EventQueue::Event& event :
            workers_[index_of(entry)].events->wait(std::chrono::nanoseconds(0))) {
            if (is_timer(event))
                continue;
            ++count;
            if (is_readable(event))
                worker(entry).readable(client_of(tag_of(event)));
            else
                worker(entry).writable(client_of(tag_of(event)));
        }
        return count;
    }
    void serve(EntryId entry) {
        (void)take_events(entry);
        worker(entry).settle();
    }
    void serve_both() {
        for (const EntryId entry : {entry_0, entry_1, entry_0})
            serve(entry);
    }

    // The worker of `from` is asked for the client, and makes a pass. Returns whether it has let
    // the client go.
    [[nodiscard]] bool asked_for(uint32_t slot, EntryId from) {
        const ClientId client = client_id(slot);
        worker(from).hand_over(std::span(&client, 1));
        worker(from).settle();
        return is_told_of(slot, from);
    }
    // Whether the worker of `from` tells that it has let the client go.
    [[nodiscard]] bool is_told_of(uint32_t slot, EntryId from) {
        const std::vector<ClientId> told = worker(from).take_report().handed_over;
        return std::find(told.begin(), told.end(), client_id(slot)) != told.end();
    }
    void give_to(uint32_t slot, EntryId from, EntryId to) {
        ASSERT_TRUE(users_.reassign(client_id(slot), from, to));
        send_to(to, slot);
        worker(to).settle();
    }
    void move(uint32_t slot, EntryId from, EntryId to) {
        ASSERT_TRUE(asked_for(slot, from));
        give_to(slot, from, to);
    }

    // Another entry holds the log's lock.
    void lock_log() { segment_.log_control().lock = workers_max; }
    void unlock_log() { segment_.log_control().lock = 0; }

    struct Worker {
        std::optional<EventQueue> events;
        std::optional<Relay> relay;
    };

    Segment segment_;
    UserTable users_{segment_};
    std::vector<FdPair> pipes_ = make_pipes(segment_.all_entries().size());
    Doorbells doorbells_{segment_.all_entries(), pipes_};
    std::array<UniqueFd, 4> peers_;
    std::array<UniqueFd, 4> sockets_; // as the escrow's
    std::array<Worker, 2> workers_;
};

class TwoWorkersTest : public testing::Test, protected TwoWorkers {
protected:
    using TwoWorkers::TwoWorkers;
};

// Clients 0 and 2 are of worker 1, client 1 of worker 2.
class ThreeTalkersTest : public TwoWorkersTest {
protected:
    ThreeTalkersTest() { std::signal(SIGPIPE, SIG_IGN); }

    void SetUp() override {
        join(0, entry_0);
        join(1, entry_1);
        join(2, entry_0);
    }

    void expect_that_all_can_talk() {
        for (uint32_t from = 0; from < 3; ++from) {
            const std::string text = std::to_string(from) + " speaks;";
            say(from, text);
            serve_both();
            serve_both();
            for (uint32_t to = 0; to < 3; ++to)
                EXPECT_EQ(heard_by(to), to == from ? "" : text) << from << " to " << to;
        }
    }
};

} // namespace chatserv
