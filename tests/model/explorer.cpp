#include "tests/model/explorer.h"

#include <algorithm>

namespace chatserv::model {

Findings Explorer::explore() {
    simulator_.start();
    simulator_.save(beginning_);
    const auto [first, fresh] = number_state();
    origins_.push_back({first, {}});
    enter(first);
    while (depth_ > 0 && findings_.violation.empty()) {
        Node& node = path_[depth_ - 1];
        if (node.next == node.moves.size())
            --depth_;
        else
            make_next_move(node);
    }
    findings_.states = states_.size();
    if (findings_.violation.empty())
        search_for_traps();
    return findings_;
}

std::pair<uint32_t, bool> Explorer::number_state() {
    const auto [at, fresh] =
        states_.emplace(simulator_.hash(), static_cast<uint32_t>(states_.size()));
    return {at->second, fresh};
}

void Explorer::make_next_move(Node& node) {
    if (node.next > 0)
        simulator_.restore(node.snapshot);
    const uint32_t from = node.state;
    const Move move = node.moves[node.next++];
    simulator_.make(move);
    ++findings_.moves;
    const auto [to, fresh] = number_state();
    if (!move.is_harm())
        edges_.emplace_back(from, to);
    if (!fresh) {
        ++findings_.schedules;
        return;
    }
    origins_.push_back({from, move});
    if (simulator_.state().violation != nullptr)
        report(to, simulator_.state().violation);
    else
        enter(to);
}

// A state that is new: its moves are next. (Nodes are reused, with the memory that they have got.)
void Explorer::enter(uint32_t state) {
    if (depth_ == path_.size())
        path_.emplace_back();
    Node& node = path_[depth_];
    simulator_.moves(node.moves);
    if (std::all_of(
            node.moves.begin(), node.moves.end(), [](const Move& move) { return move.is_harm(); }))
        judge_end(state);
    if (node.moves.empty()) {
        ++findings_.schedules;
        return;
    }
    node.state = state;
    node.next = 0;
    if (node.moves.size() > 1)
        simulator_.save(node.snapshot);
    ++depth_;
}

void Explorer::judge_end(uint32_t state) {
    ++findings_.ends;
    simulator_.show_memory();
    const std::string wrong = judge_();
    if (wrong.empty())
        good_ends_.push_back(state);
    else
        report(state, wrong);
}

// Backwards from the good ends: what cannot be reached so is a state that all is lost in.
void Explorer::search_for_traps() {
    std::sort(edges_.begin(), edges_.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<bool> leads_to_end(states_.size());
    std::vector<uint32_t> found = good_ends_;
    for (const uint32_t state : found)
        leads_to_end[state] = true;
    while (!found.empty()) {
        const uint32_t state = found.back();
        found.pop_back();
        auto edge = std::lower_bound(edges_.begin(), edges_.end(), state,
            [](const auto& some, uint32_t to) { return some.second < to; });
        for (; edge != edges_.end() && edge->second == state; ++edge) {
            if (!leads_to_end[edge->first]) {
                leads_to_end[edge->first] = true;
                found.push_back(edge->first);
            }
        }
    }
    const auto trapped = std::find(leads_to_end.begin(), leads_to_end.end(), false);
    if (trapped != leads_to_end.end())
        report(static_cast<uint32_t>(trapped - leads_to_end.begin()),
            "from here on processes can go on for ever, and never come to an end");
}

void Explorer::report(uint32_t state, const std::string& what) {
    std::vector<Move> schedule;
    for (uint32_t at = state; at != 0; at = origins_[at].state)
        schedule.push_back(origins_[at].move);
    findings_.violation = what + "\nafter these moves:\n";
    simulator_.restore(beginning_);
    for (auto move = schedule.rbegin(); move != schedule.rend(); ++move) {
        findings_.violation += "    " + simulator_.describe(*move) + "\n";
        simulator_.make(*move);
    }
}

} // namespace chatserv::model
