// A joined room of the model, on one host of several: a segment with two logs, two entries of the
// worker table and the bridge's, their workers, bridges one after the other, and what stands in for
// the master. The stream is in between, and other hosts say something.
//
// Each worker has one client, which sends and is sent what the others say. judgement.h says what
// must be so when all is done.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "shared/segment/user_table.h"
#include "tests/model/explorer.h"
#include "tests/model/joined/setting.h"
#include "tests/model/simulator.h"

#include <cstdint>
#include <vector>

namespace chatserv::model {

class JoinedWorld {
public:
    explicit JoinedWorld(const JoinedSetting& setting);

    [[nodiscard]] LogControl& log() const { return segment_.log_control(); }
    [[nodiscard]] RoomControl& room() const { return segment_.room(); }
    [[nodiscard]] WorkerEntry& bridge_entry() const { return segment_.all_entries()[entry_bridge]; }
    // By address, for faults.
    [[nodiscard]] uint32_t granule(const void* word) {
        return simulator_.memory().locate(word, sizeof(uint32_t), 0).granule;
    }
    void inject(Fault fault) { simulator_.inject(std::move(fault)); }

    [[nodiscard]] Findings explore();

private:
    void begin_kernel();
    void admit_clients() const;
    void begin_room();
    void watch_entries();
    void watch_slots();
    void watch_log(const char* lock_name, LogControl& control, bool of_bridge);
    void watch_room();
    void watch_rings();
    void add_processes();

    JoinedSetting setting_;
    Segment segment_;
    UserTable users_{segment_};
    std::vector<FdPair> pipes_;
    Doorbells doorbells_;
    Doorbells silence_{{}, {}};
    Simulator simulator_;
    JoinedWorker::Surroundings around_workers_;
    BridgeProcess::Surroundings around_bridges_;
    StandIn::Surroundings around_stand_in_;
};

} // namespace chatserv::model
