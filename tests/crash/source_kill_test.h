// The fixture of tests that kill the process of a source at the points of its life: from the fork
// until everything that is said by the source, and to it, has passed.
//
// A source that was lost is tried again after a pause, by the same master; by the next master it is
// tried at once. So each life begins with the death of a master that has lost the source and
// sleeps. The process is traced from its first instruction on: so is, until it starts that process,
// the master, and the keeper until it starts this master.
#pragma once

#include "tests/crash/master_kill_test.h"
#include "tests/harness/peer_server.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace chatserv::test {

class SourceKillTest : public MasterKillTest {
protected:
    // `stays`: the process lives as long as the source is connected.
    explicit SourceKillTest(bool stays) {
        sources_ = 1;
        source_processes_ = stays ? 1 : 0;
    }

    // Kills it at points of a life; at all of them if CHATSERV_TEST_ALL_TAKEOVERS is 1, by default
    // at some, from one that CHATSERV_TEST_SEED chooses. Then the server is stopped.
    void kill_at_points();

    [[nodiscard]] static bool is_all();

    // One life, with a death at its `kill_at`th point (0: at none), and then the next process,
    // which lives. Returns whether the point was reached.
    bool life(std::uint64_t kill_at);
    // Points of the last life.
    [[nodiscard]] std::uint64_t points() const { return points_; }

    // What differs between sources. A process that stays is killed at the end of a life.
    // Ends the connection of the source, and its process.
    virtual void end_source();
    // Ends it, and waits until the master has lost it.
    virtual void lose_source();
    // The source is lost, and no process has begun.
    virtual void prepare() {}
    // In a life; returns soon when the victim is dead.
    virtual void exchange() = 0;
    // The connection was lost by the victim's death: what it may have cost.
    virtual void judge_loss() {}
    // Another process has connected the source.
    virtual void welcome() {}

    // Of the log's lines: how often the source was connected, and how often it was not.
    [[nodiscard]] std::size_t connections() { return server_->count(" is connected: user "); }
    [[nodiscard]] std::size_t losses() { return server_->count(" is not connected: "); }
    [[nodiscard]] bool is_dead() const { return victim_->killed(); }
    [[nodiscard]] bool is_connected() { return connections() > connections_before_; }
    [[nodiscard]] bool is_lost() { return losses() > losses_before_; }
    void make_due(const std::string& text);
    // Longer than what a process holds.
    [[nodiscard]] std::string long_text(std::string_view begin) const;
    // Waits, and returns whether the victim still lives.
    bool lives_until(const std::function<bool()>& condition, std::string_view what);
    bool lives_until_rest();
    // Everybody has everything that is due, and the server is at rest.
    bool lives_until_all_is_passed();
    [[nodiscard]] bool everybody_has_what_is_due() const;

private:
    void begin_life(std::uint64_t kill_at);
    void bring_back();
    void kill_master();
    void expect_exact_books();

    std::size_t connections_before_ = 0; // this life
    std::size_t losses_before_ = 0;
    std::uint64_t points_ = 0;
};

} // namespace chatserv::test
