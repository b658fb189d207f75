// A host of the test with a real engine: what it says goes through real servers.
#pragma once

#include "bridge/engine/jetstream.h"
#include "tests/bridge/delivered.h"
#include "tests/harness/loop.h"
#include "tests/unit/bridge/simulated_host.h"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace chatserv::test {

class BridgedHost {
public:
    BridgedHost(Loop& loop, Incarnation incarnation, const JetStreamSettings& settings);

    void say(std::string_view text) { host_.say(text); }
    // The bridge is killed in the midst of whatever it does, and another one takes over.
    void replace_bridge();
    // No bridge runs until replace_bridge().
    void end_bridge();
    void turn();

    [[nodiscard]] const SimulatedHost& host() const { return host_; }
    [[nodiscard]] const Order& order() const { return host_.exchange().order(); }
    [[nodiscard]] LinkState link() const { return engine_->link().state; }
    [[nodiscard]] OrderLoss loss() const { return loss_; }
    [[nodiscard]] bool lives() const { return loss_ == OrderLoss::none; }
    [[nodiscard]] const Delivered& delivered() const { return delivered_; }
    [[nodiscard]] std::optional<Exchange::Time> due() const;
    // For the message of a test that fails.
    [[nodiscard]] std::string text() const;
    // The clock of the bridge goes ahead.
    void let_time_pass(std::chrono::seconds time) { ahead_ += time; }

private:
    class Watch : public Loop::Source {
    public:
        Watch(Loop& loop, const Engine& engine) : Source(loop), engine_(engine) {}
        [[nodiscard]] pollfd interest() const override { return {engine_.fd(), POLLIN, 0}; }
        void ready(short /*events*/) override {} // turn() looks

    private:
        const Engine& engine_;
    };

    [[nodiscard]] std::unique_ptr<Engine> make_engine();

    Loop& loop_;
    JetStreamSettings settings_;
    Delivered delivered_;
    std::unique_ptr<Engine> engine_;
    SimulatedHost host_;
    std::unique_ptr<Watch> watch_;
    OrderLoss loss_ = OrderLoss::none;
    std::chrono::seconds ahead_{0};
    bool runs_ = true;
};

// Turns all hosts until the condition holds. Throws std::runtime_error naming `what` when it does
// not.
void run_until(Loop& loop, const std::vector<std::unique_ptr<BridgedHost>>& hosts,
    const std::function<bool()>& condition, std::string_view what);

} // namespace chatserv::test
