// The processes beside the workers of which there is one at most, for whoever asks for it: the
// metrics process and the bridge. They have the same events, and most of them are about either.
#pragma once

#include "master/bridge/bridge_process.h"
#include "master/metrics/metrics_process.h"
#include "master/preparation.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <sys/types.h>

namespace chatserv {

class Companions {
public:
    using Clock = std::chrono::steady_clock;

    // What is borrowed must outlive this object.
    Companions(const Preparation& prepared, const Options& options, EventQueue& events,
        ServedClock& clock) :
        metrics_(prepared.metrics, options, prepared.segment, prepared.ledger, events,
            prepared.image.number),
        bridge_({prepared.bridge, options, prepared.segment, prepared.ledger, prepared.doorbells,
            events, clock, prepared.image.number}) {}

    [[nodiscard]] MetricsProcess& metrics() { return metrics_; }
    [[nodiscard]] BridgeProcess& bridge() { return bridge_; }

    // The functions of the same names of both; whatever the one says, the other is asked too.
    void take_over() {
        metrics_.take_over();
        bridge_.take_over();
    }
    [[nodiscard]] bool handle_exit(pid_t pid) {
        return metrics_.handle_exit(pid) || bridge_.handle_exit(pid);
    }
    void reap_children() {
        metrics_.reap_child();
        bridge_.reap_child();
    }
    void look(bool wanted) {
        metrics_.look(wanted);
        bridge_.look(wanted);
    }
    [[nodiscard]] std::optional<Clock::time_point> next_look() const {
        const auto one = metrics_.next_look();
        const auto other = bridge_.next_look();
        return one && other ? std::min(*one, *other) : one ? one : other;
    }
    [[nodiscard]] bool take_may_reap() {
        const bool one = metrics_.take_may_reap();
        return bridge_.take_may_reap() || one;
    }

    // There is none of them.
    [[nodiscard]] bool empty() const { return metrics_.pid() == 0 && bridge_.pid() == 0; }

private:
    MetricsProcess metrics_;
    BridgeProcess bridge_;
};

} // namespace chatserv
