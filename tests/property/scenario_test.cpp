// R8: on the same random scenarios the reference, and chatserv with any number of workers, keep
// R1 to R7. CHATSERV_TEST_SCENARIOS sets how many, CHATSERV_TEST_SEED the first.
#include "tests/harness/seed.h"
#include "tests/property/scenario.h"
#include "tests/property/scenario_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chatserv::test {
namespace {

struct Subject {
    const char* name;
    Program program;
    unsigned workers; // 0: chatserv's own default, and its own placement
    ScenarioDriver::Wire wire = ScenarioDriver::Wire::bytes;
};

std::ostream& operator<<(std::ostream& out, const Subject& subject) {
    return out << subject.name;
}

class ScenarioTest : public testing::TestWithParam<Subject> {};

ServerOptions options_for(const Subject& subject, const Scenario& scenario) {
    ServerOptions options;
    options.program = subject.program;
    options.listen.clear();
    for (const char* const role : {"talk:", "listen:", "speak:"}) {
        options.listen.push_back(std::string(role) + "127.0.0.1:0");
        if (has_ipv6())
            options.listen.push_back(std::string(role) + "[::1]:0");
    }
    // No client stalls in these scenarios, however slow the machine is.
    options.more = {"--users", std::to_string(scenario.users), "--stall-limit", "600"};
    if (subject.wire == ScenarioDriver::Wire::lines)
        options.more.insert(
            options.more.end(), {"--framing", "line", "--line-max", std::to_string(wire_line_max)});
    if (subject.program == Program::chatserv) {
        if (subject.workers == 0)
            options.placement = "load";
        else
            options.more.insert(options.more.end(),
                {"--workers", std::to_string(subject.workers), "--spares", "1"});
        if (!scenario.log_size.empty())
            options.more.insert(options.more.end(), {"--log-size", scenario.log_size});
        if (!scenario.replay.empty())
            options.more.insert(options.more.end(), {"--replay", scenario.replay});
    }
    return options;
}

TEST_P(ScenarioTest, KeepsTheContract) {
    const std::uint64_t first = base_seed();
    const std::uint64_t count = number_from_environment("CHATSERV_TEST_SCENARIOS", 8);
    for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
        Scenario scenario = make_scenario(seed);
        if (GetParam().program == Program::reference)
            scenario.replay.clear();
        // So many lines: a replay of bytes can begin within one.
        if (GetParam().wire == ScenarioDriver::Wire::lines && !scenario.replay.empty())
            scenario.replay.pop_back();
        Loop loop;
        Server server(loop, options_for(GetParam(), scenario));
        ScenarioDriver driver(loop, server, scenario, GetParam().wire);
        driver.run();
        EXPECT_THAT(driver.violations(), testing::IsEmpty()) << scenario;
    }
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest,
    testing::Values(Subject{"Reference", Program::reference, 0},
        Subject{"Default", Program::chatserv, 0}, Subject{"OneWorker", Program::chatserv, 1},
        Subject{"TwoWorkers", Program::chatserv, 2}, Subject{"FourWorkers", Program::chatserv, 4},
        Subject{"ReferenceOfLines", Program::reference, 0, ScenarioDriver::Wire::lines},
        Subject{"LinesOfOneWorker", Program::chatserv, 1, ScenarioDriver::Wire::lines},
        Subject{"LinesOfTwoWorkers", Program::chatserv, 2, ScenarioDriver::Wire::lines}),
    [](const auto& subject) { return subject.param.name; });

} // namespace
} // namespace chatserv::test
