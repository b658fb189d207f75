#include "master/workers/placement.h"

#include <algorithm>
#include <tuple>

namespace chatserv {

namespace {

// Of an entry in use from its fair share. A large one is a quarter of the share, too.
constexpr uint32_t small_difference = 8;

struct Balance { // of an entry
    EntryId entry;
    uint32_t clients;
    uint32_t share; // that it should have
};

bool is_uneven(const Balance& balance, Difference worthwhile) {
    const uint32_t difference = balance.clients > balance.share ? balance.clients - balance.share
                                                                : balance.share - balance.clients;
    if (balance.share == 0)
        return difference > 0;
    const uint32_t quarter = worthwhile == Difference::large ? balance.share / 4 : 0;
    return difference >= std::max(small_difference, quarter);
}

std::vector<Balance> balances_of(std::span<const EntryLoad> loads) {
    uint32_t clients = 0;
    uint32_t in_use = 0;
    for (const EntryLoad& load : loads)
        if (load.served && !load.drained) {
            clients += load.clients;
            in_use += load.in_use ? 1 : 0;
        }
    std::vector<Balance> balances;
    uint32_t shared_out = 0; // to how many entries
    for (uint32_t index = 0; index < loads.size(); ++index) {
        const EntryLoad& load = loads[index];
        if (!load.served || load.drained || in_use == 0)
            continue;
        const uint32_t one_more = load.in_use && shared_out < clients % in_use ? 1 : 0;
        shared_out += load.in_use ? 1 : 0;
        balances.push_back({.entry = EntryId{index},
            .clients = load.clients,
            .share = load.in_use ? clients / in_use + one_more : 0});
    }
    return balances;
}

} // namespace

EntryId entry_for_newcomer(std::span<const EntryLoad> loads) {
    // A client of a drained entry is served, so such an entry is better than one without a process.
    const auto rank = [](const EntryLoad& load) {
        return std::tuple(!load.served, load.drained, !load.in_use, load.clients);
    };
    const auto best = std::ranges::min_element(loads, {}, rank);
    return EntryId{static_cast<uint32_t>(best - loads.begin())};
}

std::vector<Shift> shifts_to_even_out(
    std::span<const EntryLoad> loads, uint32_t clients_max, Difference worthwhile) {
    std::vector<Balance> balances = balances_of(loads);
    if (std::ranges::none_of(
            balances, [&](const Balance& balance) { return is_uneven(balance, worthwhile); }))
        return {};
    std::vector<Shift> shifts;
    auto to = balances.begin();
    for (Balance& from : balances)
        while (from.clients > from.share && clients_max > 0) {
            to = std::find_if(to, balances.end(),
                [](const Balance& balance) { return balance.clients < balance.share; });
            if (to == balances.end())
                return shifts;
            const uint32_t clients =
                std::min({from.clients - from.share, to->share - to->clients, clients_max});
            shifts.push_back({from.entry, to->entry, clients});
            from.clients -= clients;
            to->clients += clients;
            clients_max -= clients;
        }
    return shifts;
}

} // namespace chatserv
