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
};

std::ostream& operator<<(std::ostream& out, const Subject& subject) {
    return out << subject.name;
}

class ScenarioTest : public testing::TestWithParam<Subject> {};

ServerOptions options_for(const Subject& subject, const Scenario& scenario) {
    ServerOptions options;
    options.program = subject.program;
    if (has_ipv6())
        options.listen.emplace_back("[::1]:0");
    // No client stalls in these scenarios, however slow the machine is.
    options.more = {"--users", std::to_string(scenario.users), "--stall-limit", "600"};
    if (subject.program == Program::chatserv) {
        if (subject.workers == 0)
            options.placement = "load";
        else
            options.more.insert(options.more.end(),
                {"--workers", std::to_string(subject.workers), "--spares", "1"});
        if (!scenario.log_size.empty())
            options.more.insert(options.more.end(), {"--log-size", scenario.log_size});
    }
    return options;
}

TEST_P(ScenarioTest, KeepsTheContract) {
    const std::uint64_t first = base_seed();
    const std::uint64_t count = number_from_environment("CHATSERV_TEST_SCENARIOS", 8);
    for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
        const Scenario scenario = make_scenario(seed);
        Loop loop;
        Server server(loop, options_for(GetParam(), scenario));
        ScenarioDriver driver(loop, server, scenario);
        driver.run();
        EXPECT_THAT(driver.violations(), testing::IsEmpty()) << scenario;
    }
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest,
    testing::Values(Subject{"Reference", Program::reference, 0},
        Subject{"Default", Program::chatserv, 0}, Subject{"OneWorker", Program::chatserv, 1},
        Subject{"TwoWorkers", Program::chatserv, 2}, Subject{"FourWorkers", Program::chatserv, 4}),
    [](const auto& subject) { return subject.param.name; });

} // namespace
} // namespace chatserv::test
