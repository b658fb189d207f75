#include "master/commands/strike_tally.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fmt/core.h>

namespace chatserv {

namespace {

// The smallest value that is not exceeded by a share `share` of all values.
double quantile(const std::vector<double>& sorted, double share) {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

} // namespace

std::string StrikeTally::text() const {
    std::string text = fmt::format("{} killed, {} stopped, {} not there; {} takeovers", killed,
        stopped, not_there, times_ms.size());
    if (!times_ms.empty()) {
        std::vector<double> sorted = times_ms;
        std::sort(sorted.begin(), sorted.end());
        text += fmt::format(": median {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms",
            quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.back());
    }
    if (unheard > 0)
        text += fmt::format("; {} not heard of, since the master died meanwhile", unheard);
    return text;
}

} // namespace chatserv
