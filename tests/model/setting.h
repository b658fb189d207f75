// A small world of the model, as a test chooses it.
#pragma once

#include "shared/segment/layout.h"
#include "tests/model/kernel.h"
#include "tests/model/master_process.h"
#include "tests/model/worker_process.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace chatserv::model {

enum class Listening { no, yes, comes_later };

struct Setting {
    std::array<uint8_t, entries> messages{1, 1, 0}; // that each client sends
    // The entries whose processes may die; entry_master: the master.
    std::vector<uint32_t> killable{entry_a};
    uint32_t kills = 1;
    bool successors_may_die = true; // false: one worker and one master at the most
    Listening listener = Listening::yes;
    uint64_t head = 6; // of the log in the beginning: what the listener has yet to get
    uint64_t write_limit = log_bytes_min;
    uint64_t replay_bytes = 0;   // what a newcomer is sent first
    WantedMove move{};           // of a client; the entry that it goes to has none
    uint32_t leaver = no_client; // the client that sends an end of file after its messages

    // Put in by fault_test.cpp.
    Recovery recovery = Recovery::right;
    Sleep sleep = Sleep::right;
    LettingGo letting_go = LettingGo::right;
    Introduction introduction = Introduction::right;
    Admission admission = Admission::right;
    Inheritance inheritance = Inheritance::right;

    // There is room in the log for all of it, and nobody ever looks at a cursor.
    [[nodiscard]] bool roomy() const { return head < log_bytes_min / 2; }
    // In the beginning.
    [[nodiscard]] bool has_client(uint32_t entry) const {
        return entry == entry_r ? listener == Listening::yes : messages[entry] > 0;
    }
    [[nodiscard]] bool is_at_work(uint32_t entry) const {
        return has_client(entry) || entry == move.to ||
               (entry == entry_r && listener == Listening::comes_later);
    }
    [[nodiscard]] bool may_die(uint32_t entry) const {
        return kills > 0 && std::find(killable.begin(), killable.end(), entry) != killable.end();
    }
    [[nodiscard]] bool workers_may_die() const {
        return may_die(entry_a) || may_die(entry_b) || may_die(entry_r);
    }
    [[nodiscard]] uint32_t spares() const { return workers_may_die() ? successors() : 0; }
    [[nodiscard]] uint32_t next_masters() const { return may_die(entry_master) ? successors() : 0; }
    [[nodiscard]] bool has_master() const {
        return kills > 0 || move.any() || leaver != no_client || listener == Listening::comes_later;
    }
    // Whether somebody may come into this slot later.
    [[nodiscard]] bool is_for_newcomer(uint32_t slot) const {
        if (listener != Listening::comes_later)
            return false;
        uint32_t free = 0;
        while (has_client(free))
            ++free;
        return slot == free || slot == leaver;
    }

private:
    [[nodiscard]] uint32_t successors() const { return successors_may_die ? kills : 1; }
};

} // namespace chatserv::model
