#include "tests/crash/exact_books.h"

#include <nlohmann/json.hpp>

namespace chatserv::test {

namespace {

std::uint64_t sum_of(const nlohmann::json& counts) {
    std::uint64_t sum = 0;
    for (const auto& [reason, count] : counts.items())
        sum += count.get<std::uint64_t>();
    return sum;
}

} // namespace

std::vector<std::string> flaws_in_books(
    const std::string& stats, std::uint64_t came, std::uint64_t present) {
    const auto said = nlohmann::json::parse(stats);
    std::vector<std::string> flaws;
    const auto expect = [&](const std::string& what, std::uint64_t is, std::uint64_t due) {
        if (is != due)
            flaws.push_back("the books say " + std::to_string(is) + " " + what + ", not " +
                            std::to_string(due));
    };
    expect("accepted", said.at("accepted"), came);
    expect("users", said.at("users"), present);
    expect("left", sum_of(said.at("left")), came - present);
    expect("turned away", sum_of(said.at("turned_away")), 0);
    return flaws;
}

} // namespace chatserv::test
