// The fixture of tests of companions as masters see them, one master after the other. A shell
// script stands in for the program.
#pragma once

#include "master/start/program_file.h"
#include "master/workers/seat_book.h"
#include "shared/segment/atomic_word.h"
#include "shared/segment/served_clock.h"
#include "shared/system/event_queue.h"
#include "tests/harness/temporary_directory.h"
#include "tests/unit/small_ledger.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace chatserv {

using namespace std::chrono_literals;

// `Companion`: MetricsProcess or BridgeProcess.
template <typename Companion>
class CompanionTest : public testing::Test {
protected:
    static constexpr const char* lives_on = "exec sleep 1000";

    // What the next master() starts.
    virtual void use_program(const std::string& commands) = 0;
    // A master of that program. `upgrade`: the number of the one whose program it is.
    virtual Companion& master(uint32_t upgrade) = 0;
    Companion& master() { return master(0); }
    [[nodiscard]] virtual SeatRecord& seat_record() const = 0;

    [[nodiscard]] ProgramFile script(const std::string& commands) const {
        const std::filesystem::path program = folder_.path() / "program";
        std::ofstream(program) << "#!/bin/sh\n" << commands << "\n";
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        return {UniqueFd(), program.string()};
    }
    // None is ever deleted: what one has open its successor inherits.
    static Companion& kept(std::unique_ptr<Companion> companion) {
        static auto* const all = new std::vector<Companion*>;
        all->push_back(companion.release());
        return *all->back();
    }

    // Turns of a master's loop.
    void turn_until(
        Companion& companion, const std::function<bool()>& condition, bool wanted = true) {
        while (!condition()) {
            (void)clock_.now();
            companion.look(wanted);
            clock_.about_to_sleep(10ms);
            for (const EventQueue::Event& event : events_.wait(10ms))
                if (is_exit(event))
                    (void)companion.handle_exit(pid_of(event));
        }
    }
    void turn_until_gone(Companion& companion, bool wanted = true) {
        turn_until(
            companion, [&] { return companion.pid() == 0; }, wanted);
    }
    // Another one than `former`, which has stored its pid: a seat without one is given up.
    pid_t turn_until_there(Companion& companion, pid_t former = 0) {
        turn_until(companion, [&] { return companion.pid() != 0 && companion.pid() != former; });
        while (load_acquire(seat_record().pid) != companion.pid())
            ::usleep(1000);
        return companion.pid();
    }
    [[nodiscard]] SeatState seat() const { return static_cast<SeatState>(seat_record().state); }

    void expect_that_the_next_master_finds_and_ends_it() {
        use_program(lives_on);
        const pid_t pid = turn_until_there(master());
        Companion& second = master();
        second.take_over();
        EXPECT_EQ(second.pid(), pid);
        EXPECT_FALSE(may_reap(ledger_, pid)) << "the next master does not know of its end yet";
        second.look(true);
        EXPECT_EQ(second.pid(), pid) << "one is enough";
        second.reap_child();
        EXPECT_EQ(second.pid(), pid) << "it is no child of that master";
        turn_until_gone(second, false);
        EXPECT_TRUE(second.take_may_reap());
        EXPECT_TRUE(may_reap(ledger_, pid));
        EXPECT_EQ(seat(), SeatState::empty);
        EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
    }

    // The master died before it had forked, or its child has not said who it is.
    void expect_that_a_seat_without_a_process_is_given_up() {
        use_program(lives_on);
        FdPair lifeline = make_stream_pair();
        const int noted_lifeline = lifeline.first.release();
        const PidWord late =
            SeatBook(std::span(&seat_record(), 1)).note_starting(SeatId{0}, noted_lifeline);
        Companion& next = master();
        next.take_over();
        EXPECT_EQ(next.pid(), 0);
        EXPECT_EQ(seat(), SeatState::empty);
        EXPECT_NE(*late.word, late.unset)
            << "a child that comes late finds that the seat is not its own";
        char byte = 0;
        EXPECT_EQ(::read(lifeline.second.get(), &byte, 1), 0) << "and that its lifeline has ended";
        next.look(true);
        EXPECT_NE(next.pid(), 0);
        turn_until_gone(next, false);
    }

    const test::TemporaryDirectory folder_;
    const Ledger ledger_ = small_ledger();
    EventQueue events_;
    ServedRecord served_{};
    ServedClock clock_{served_, 100ms};
};

} // namespace chatserv
