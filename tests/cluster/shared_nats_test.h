// The fixture of tests that share three servers of NATS, which take seconds to agree: they start
// once for all tests of a suite. Each test gets rooms of its own there.
#pragma once

#include "tests/bridge/nats_cluster.h"
#include "tests/harness/loop.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace chatserv::test {

class SharedNatsTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        loop = std::make_unique<Loop>();
        nats = std::make_unique<NatsCluster>(*loop, 3);
    }
    static void TearDownTestSuite() {
        nats.reset();
        loop.reset();
    }

    // The name of a room that no test has used.
    static std::string next_room() { return "hall" + std::to_string(++rooms); }

    static inline std::unique_ptr<Loop> loop;
    static inline std::unique_ptr<NatsCluster> nats;

private:
    static inline int rooms = 0;
};

} // namespace chatserv::test
