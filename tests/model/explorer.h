// The search of all schedules: from every state that can be reached, every move is made once.
//
// States are told apart by a hash of 128 bits. Whatever a schedule can do wrong is one of these: a
// process finds one of its invariants broken; nobody can move and not all is done; or there are
// moves for ever and none leads to where all is done. (To be killed, or another mishap, is no way
// out of the latter two.)
#pragma once

#include "tests/model/simulator.h"

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace chatserv::model {

struct Findings {
    uint64_t states = 0;
    uint64_t moves = 0;
    uint64_t ends = 0;      // states in which nobody can move, though somebody may yet be killed
    uint64_t schedules = 0; // that were followed to an end, or to a state reached before
    std::string violation;  // empty: none; else what is wrong, and the moves that led to it
};

class Explorer {
public:
    // `judge`: called in a state where nobody can move, with the segment showing the memory; says
    // what is wrong there, or nothing.
    Explorer(Simulator& simulator, std::function<std::string()> judge) :
        simulator_(simulator), judge_(std::move(judge)) {}

    // Until there is a violation, or everything has been seen.
    [[nodiscard]] Findings explore();

private:
    struct Node {
        uint32_t state = 0;
        size_t next = 0;
        std::vector<Move> moves;
        Simulator::Snapshot snapshot;
    };
    struct HashOfHash {
        size_t operator()(const Hash& hash) const { return hash.low; }
    };
    struct Origin {
        uint32_t state;
        Move move;
    };

    // The number of the present state, and whether it is new.
    std::pair<uint32_t, bool> number_state();
    void enter(uint32_t state);
    void judge_end(uint32_t state);
    void make_next_move(Node& node);
    void search_for_traps();
    void report(uint32_t state, const std::string& what);

    Simulator& simulator_;
    std::function<std::string()> judge_;
    Findings findings_;
    Simulator::Snapshot beginning_;
    std::unordered_map<Hash, uint32_t, HashOfHash> states_;
    std::vector<Origin> origins_; // by state: from where it was reached first
    std::vector<std::pair<uint32_t, uint32_t>> edges_;
    std::vector<uint32_t> good_ends_;
    std::vector<Node> path_;
    size_t depth_ = 0;
};

} // namespace chatserv::model
