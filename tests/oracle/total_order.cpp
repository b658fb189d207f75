// The order is built by merging: a byte may come next in the order if it is next in every receiver
// that got it. Taking one byte never forbids another, so any choice is as good as any other (this
// is topological sorting). When no byte may come next, the receivers contradict each other.
#include "tests/oracle/total_order.h"

#include <algorithm>
#include <sstream>

namespace chatserv::test {

namespace {

// The progress of the merge in one receiver's section.
struct Progress {
    bool begun = false; // the merge has reached the place where the receiver was attached
    bool ended = false; // the merge has passed everything that the receiver got
    std::size_t run = 0;
    std::uint64_t taken = 0; // of that run
};

class Merge {
public:
    Merge(const std::vector<Section>& sections,
        const std::array<std::uint64_t, senders_max>& totals) :
        sections_(sections),
        totals_(totals), progress_(sections.size()) {}

    [[nodiscard]] bool runs_to_the_end();
    [[nodiscard]] std::string describe_deadlock() const;

private:
    [[nodiscard]] bool begin_or_end(std::size_t receiver);
    // How many bytes of the sender may come next, as far as one receiver, or all, restrict it.
    [[nodiscard]] std::uint64_t allowance(unsigned sender, std::size_t receiver) const;
    [[nodiscard]] std::uint64_t allowance(unsigned sender) const;
    void take(unsigned sender, std::uint64_t length);

    const std::vector<Section>& sections_;
    const std::array<std::uint64_t, senders_max>& totals_;
    std::vector<Progress> progress_;
    std::array<std::uint64_t, senders_max> next_{};
};

bool Merge::begin_or_end(std::size_t receiver) {
    const Section& section = sections_[receiver];
    Progress& progress = progress_[receiver];
    if (!progress.begun) {
        for (unsigned sender = 0; sender < senders_max; ++sender) {
            const auto& window = section.windows[sender];
            if (window && next_[sender] < window->first)
                return false;
        }
        progress.begun = true;
        return true;
    }
    if (progress.ended || progress.run < section.runs.size())
        return false;
    if (section.own && section.own_bytes_precede_end && next_[*section.own] < totals_[*section.own])
        return false;
    progress.ended = true;
    return true;
}

std::uint64_t Merge::allowance(unsigned sender, std::size_t receiver) const {
    const Section& section = sections_[receiver];
    const Progress& progress = progress_[receiver];
    const std::uint64_t position = next_[sender];
    const std::uint64_t rest = totals_[sender] - position;
    if (section.own == sender)
        return progress.begun ? rest : 0; // no client sends before it is attached
    const auto& window = section.windows[sender];
    if (!window)
        return rest;
    if (position < window->first)
        return std::min(rest, window->first - position);
    if (position >= window->end)
        return progress.ended ? rest : 0;
    if (!progress.begun || progress.run == section.runs.size())
        return 0;
    const Run& run = section.runs[progress.run];
    if (run.sender != sender || run.first + progress.taken != position)
        return 0;
    return std::min(rest, run.length - progress.taken);
}

std::uint64_t Merge::allowance(unsigned sender) const {
    std::uint64_t length = totals_[sender] - next_[sender];
    for (std::size_t receiver = 0; receiver < sections_.size() && length > 0; ++receiver)
        length = std::min(length, allowance(sender, receiver));
    return length;
}

void Merge::take(unsigned sender, std::uint64_t length) {
    for (std::size_t receiver = 0; receiver < sections_.size(); ++receiver) {
        const auto& window = sections_[receiver].windows[sender];
        if (sections_[receiver].own == sender || !window || next_[sender] < window->first ||
            next_[sender] >= window->end)
            continue;
        Progress& progress = progress_[receiver];
        progress.taken += length;
        if (progress.taken == sections_[receiver].runs[progress.run].length) {
            ++progress.run;
            progress.taken = 0;
        }
    }
    next_[sender] += length;
}

bool Merge::runs_to_the_end() {
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t receiver = 0; receiver < sections_.size(); ++receiver)
            moved = begin_or_end(receiver) || moved;
        for (unsigned sender = 0; sender < senders_max; ++sender) {
            if (const std::uint64_t length = allowance(sender); length > 0) {
                take(sender, length);
                moved = true;
            }
        }
    }
    return next_ == totals_ && std::all_of(progress_.begin(), progress_.end(),
                                   [](const Progress& progress) { return progress.ended; });
}

std::string Merge::describe_deadlock() const {
    std::ostringstream text;
    text << "no total order agrees with all receivers:";
    for (unsigned sender = 0; sender < senders_max; ++sender) {
        if (next_[sender] == totals_[sender])
            continue;
        text << "\n  byte " << next_[sender] << " of sender " << sender << " must wait for";
        for (std::size_t receiver = 0; receiver < sections_.size(); ++receiver) {
            if (allowance(sender, receiver) > 0)
                continue;
            const Section& section = sections_[receiver];
            const Progress& progress = progress_[receiver];
            text << " " << section.name;
            if (!progress.begun) {
                text << " (not begun)";
            } else if (progress.run < section.runs.size()) {
                const Run& run = section.runs[progress.run];
                text << " (next: byte " << run.first + progress.taken << " of " << run.sender
                     << ")";
            }
        }
    }
    return text.str();
}

} // namespace

std::optional<std::string> find_disagreement(
    const std::vector<Section>& sections, const std::array<std::uint64_t, senders_max>& totals) {
    Merge merge(sections, totals);
    if (merge.runs_to_the_end())
        return std::nullopt;
    return merge.describe_deadlock();
}

} // namespace chatserv::test
