// What the model's schedules are about: a segment and a ledger, three entries of the worker table,
// their workers, the master with its successors, and spares.
//
// Entries A and B have a client each that sends; entry R has one that only listens. In the
// beginning a client is in the slot of its entry's number. It can move to an entry that has no
// client, and end. The listener can also come later. judgement.h says what must be so when all is
// done.
#pragma once

#include "master/ledger/ledger.h"
#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"
#include "tests/model/explorer.h"
#include "tests/model/master_process.h"
#include "tests/model/setting.h"
#include "tests/model/simulator.h"
#include "tests/model/worker_process.h"

#include <cstdint>
#include <vector>

namespace chatserv::model {

class World {
public:
    explicit World(const Setting& setting);

    [[nodiscard]] LogControl& log() const { return segment_.log_control(); }
    [[nodiscard]] WorkerEntry& entry(uint32_t number) const {
        return segment_.worker_table()[number];
    }
    [[nodiscard]] RedoRecord& redo() const { return ledger_.redo(); }
    [[nodiscard]] const NewcomerRecord* newcomers() const { return ledger_.newcomers().data(); }
    [[nodiscard]] uint64_t& counter(uint32_t number) const { return ledger_.counters()[number]; }
    [[nodiscard]] ClientRecord& client(uint32_t slot) const { return ledger_.clients()[slot]; }
    [[nodiscard]] UserSlot& slot(uint32_t number) const { return users_[SlotId{number}]; }
    // By address, for faults.
    [[nodiscard]] uint32_t granule(const void* word) {
        return simulator_.memory().locate(word, sizeof(uint32_t), 0).granule;
    }
    [[nodiscard]] bool in_ring(uint32_t granule);
    void inject(Fault fault) { simulator_.inject(std::move(fault)); }

    [[nodiscard]] Findings explore();

private:
    void admit_clients() const;
    void seat_workers() const;
    void begin_log() const;
    void begin_kernel();
    void watch_segment();
    void watch_slot(uint32_t number);
    void watch_log();
    void watch_ledger();
    void add_processes();

    Setting setting_;
    Segment segment_;
    Ledger ledger_;
    UserTable users_{segment_};
    std::vector<FdPair> pipes_;
    Doorbells doorbells_;
    Simulator simulator_;
    WorkerProcess::Surroundings around_workers_;
    MasterProcess::Surroundings around_masters_;
};

} // namespace chatserv::model
