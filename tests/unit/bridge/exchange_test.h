// One host's two ways, against an engine that the test plays.
#pragma once

#include "bridge/exchange.h"
#include "tests/unit/bridge/simulated_engine.h"
#include "tests/unit/bridge/simulated_host.h"

#include <chrono>
#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace chatserv::test {

class ExchangeTest : public testing::Test {
protected:
    // Everything that was published is in the stream.
    void deliver() {
        for (std::string& message : stream.under_way)
            stream.messages.push_back(std::move(message));
        stream.under_way.clear();
    }
    void lose() { stream.under_way.clear(); }
    OrderLoss run() {
        const Exchange::Turn turn = host.turn(now);
        deliver();
        return turn.loss == OrderLoss::none ? host.turn(now).loss : turn.loss;
    }

    Exchange::Time now = Exchange::Time() + std::chrono::hours(1);
    SimulatedStream stream;
    SimulatedEngine engine{stream};
    SimulatedHost host{7, engine};
};

} // namespace chatserv::test
