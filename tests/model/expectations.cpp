#include "tests/model/expectations.h"

#include <chrono>
#include <gtest/gtest.h>
#include <iostream>

namespace chatserv::model {

namespace {

template <typename AnyWorld>
void expect_no_violation_in(AnyWorld& world) {
    const auto begin = std::chrono::steady_clock::now();
    const Findings findings = world.explore();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::cout << findings.states << " states, " << findings.moves << " moves, "
              << findings.schedules << " schedules, " << findings.ends << " ends, " << time.count()
              << " s\n";
    EXPECT_EQ(findings.violation, "");
    EXPECT_GT(findings.ends, 0U);
}

void expect_violation_of(const Findings& findings, const std::string& what) {
    std::cout << findings.states << " states, " << findings.moves
              << " moves: " << findings.violation.substr(0, findings.violation.find('\n')) << "\n";
    EXPECT_NE(findings.violation.find(what), std::string::npos) << findings.violation;
}

} // namespace

void expect_no_violation(const Setting& setting) {
    World world(setting);
    expect_no_violation_in(world);
}

void expect_no_violation_in_room(const JoinedSetting& setting) {
    JoinedWorld world(setting);
    expect_no_violation_in(world);
}

void expect_violation(World& world, const std::string& what) {
    expect_violation_of(world.explore(), what);
}

void expect_violation(JoinedWorld& world, const std::string& what) {
    expect_violation_of(world.explore(), what);
}

} // namespace chatserv::model
