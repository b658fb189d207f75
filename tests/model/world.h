// What the model's schedules are about: a segment, three entries of the worker table, their
// workers, the master and spares; and what must be so when all is done.
//
// Entries A and B have a client each that sends; entry R has one that only listens. A client can be
// in the slot of its entry's number, and move to an entry that has none. Every worker runs the code
// of worker_process.h.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"
#include "tests/model/explorer.h"
#include "tests/model/simulator.h"
#include "tests/model/worker_process.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace chatserv::model {

struct Setting {
    std::array<uint8_t, entries> messages{1, 1, 0}; // that each client sends
    std::vector<uint32_t> killable{entry_a};        // with it, its successors
    uint32_t kills = 1;
    bool listener = true; // there is one
    uint64_t head = 6;    // of the log in the beginning: what the listener has yet to get
    uint64_t write_limit = log_bytes_min;
    WantedMove move{}; // of a client; the entry that it goes to has none

    // There is room in the log for all of it, and nobody ever looks at a cursor.
    [[nodiscard]] bool roomy() const { return head < log_bytes_min / 2; }

    // Put in by fault_test.cpp.
    Recovery recovery = Recovery::right;
    Sleep sleep = Sleep::right;
    LettingGo letting_go = LettingGo::right;

    [[nodiscard]] bool has_client(uint32_t entry) const {
        return entry == entry_r ? listener : messages[entry] > 0;
    }
    [[nodiscard]] bool at_work(uint32_t entry) const {
        return has_client(entry) || entry == move.to;
    }
};

class World {
public:
    explicit World(const Setting& setting);

    [[nodiscard]] LogControl& log() const { return segment_.log_control(); }
    [[nodiscard]] WorkerEntry& entry(uint32_t number) const {
        return segment_.worker_table()[number];
    }
    [[nodiscard]] UserSlot& slot(uint32_t number) const { return users_[SlotId{number}]; }
    // By address, for faults.
    [[nodiscard]] uint32_t granule(const void* word) {
        return simulator_.memory().locate(word, sizeof(uint32_t), 0).granule;
    }
    [[nodiscard]] bool in_ring(uint32_t granule);
    void inject(Fault fault) { simulator_.inject(std::move(fault)); }

    [[nodiscard]] Findings explore();

private:
    void begin_log() const;
    void admit_clients() const;
    void watch_memory();
    void add_processes();
    [[nodiscard]] std::string judge() const;
    [[nodiscard]] std::string judge_log(const std::string& text) const;
    [[nodiscard]] std::string judge_index(const std::string& text) const;
    [[nodiscard]] std::string judge_listener(const std::string& text) const;
    [[nodiscard]] std::string judge_entries() const;
    [[nodiscard]] std::string judge_move() const;

    Setting setting_;
    Segment segment_;
    UserTable users_{segment_};
    std::vector<FdPair> pipes_;
    Doorbells doorbells_;
    Simulator simulator_;
    WorkerProcess::Surroundings around_;
    uint64_t index_next_ = 0; // in the beginning
};

} // namespace chatserv::model
