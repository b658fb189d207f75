#include "bridge/order/witnesses.h"

#include <algorithm>
#include <limits>

namespace chatserv {

void Witnesses::present(Incarnation host) {
    if (words_.size() < witnesses_max)
        words_.try_emplace(host);
}

void Witnesses::note(Incarnation host, Word word, uint64_t number) {
    present(host);
    const auto found = words_.find(host);
    if (found == words_.end())
        return;
    Testimony& known = found->second;
    if (word == Word::other && known.word == Word::other)
        number = std::min(number, known.number);
    known = {.word = word, .number = number};
}

size_t Witnesses::against_us() const {
    return static_cast<size_t>(std::ranges::count_if(
        words_, [](const auto& entry) { return entry.second.word == Word::other; }));
}

// This host among them.
size_t Witnesses::with_us() const {
    uint64_t contradicted = std::numeric_limits<uint64_t>::max();
    for (const auto& [host, said] : words_) {
        if (said.word == Word::other)
            contradicted = std::min(contradicted, said.number);
    }
    return 1 + static_cast<size_t>(std::ranges::count_if(words_, [&](const auto& entry) {
        return entry.second.word == Word::same && entry.second.number >= contradicted;
    }));
}

Witnesses::Judgement Witnesses::judgement() const {
    if (against_us() == 0)
        return Judgement::agreed;
    const size_t all = words_.size() + 1;
    return 2 * with_us() > all ? Judgement::confirmed : Judgement::doubted;
}

bool Witnesses::has_majority() const {
    return with_us() > against_us();
}

} // namespace chatserv
