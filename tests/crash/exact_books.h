// Whether a server's counters agree with what its clients did.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chatserv::test {

// `stats`: a server's answer to the control request of that name, JSON. `came`: how many connected,
// none of which was refused. `present`: how many of them are still there. Returns what is wrong.
[[nodiscard]] std::vector<std::string> flaws_in_books(
    const std::string& stats, std::uint64_t came, std::uint64_t present);

} // namespace chatserv::test
