// What stands in for the master in a joined room of the model: it repairs what a dead process has
// left, wakes all, and gives the entry to the next process. It never dies.
#pragma once

#include "shared/ipc/doorbell.h"
#include "shared/segment/segment.h"
#include "tests/model/simulator.h"

#include <vector>

namespace chatserv::model {

// The right way, and a wrong one that the model has to find.
enum class Repair { right, without_ringing };

class StandIn {
public:
    struct Surroundings {
        const Segment& segment;
        const Doorbells& doorbells;
        Simulator& simulator;
        std::vector<uint32_t> spares;       // numbers of processes
        std::vector<uint32_t> next_bridges; // likewise
        Repair repair;
    };

    explicit StandIn(const Surroundings& around) : around_(around) {}
    [[noreturn]] void run() const;

private:
    void recover(uint32_t entry) const;
    void give(uint32_t entry) const;

    const Surroundings& around_;
};

} // namespace chatserv::model
