#include "tests/model/expectations.h"

#include <chrono>
#include <gtest/gtest.h>
#include <iostream>

namespace chatserv::model {

void expect_no_violation(const Setting& setting) {
    const auto begin = std::chrono::steady_clock::now();
    const Findings findings = World(setting).explore();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::cout << findings.states << " states, " << findings.moves << " moves, "
              << findings.schedules << " schedules, " << findings.ends << " ends, " << time.count()
              << " s\n";
    EXPECT_EQ(findings.violation, "");
    EXPECT_GT(findings.ends, 0U);
}

void expect_violation(World& world, const std::string& what) {
    const Findings findings = world.explore();
    std::cout << findings.states << " states, " << findings.moves
              << " moves: " << findings.violation.substr(0, findings.violation.find('\n')) << "\n";
    EXPECT_NE(findings.violation.find(what), std::string::npos) << findings.violation;
}

} // namespace chatserv::model
