#include "tests/bridge/bridged_host.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace chatserv::test {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// More than is waiting in any test, so that a word is in one message.
constexpr uint64_t piece_bytes_max = 8192;

} // namespace

BridgedHost::BridgedHost(Loop& loop, Incarnation incarnation, const JetStreamSettings& settings) :
    loop_(loop), settings_(settings), engine_(make_engine()),
    host_(incarnation, *engine_, piece_bytes_max), watch_(std::make_unique<Watch>(loop, *engine_)) {
}

std::unique_ptr<Engine> BridgedHost::make_engine() {
    return std::make_unique<NotingEngine>(std::make_unique<JetStreamEngine>(settings_), delivered_);
}

void BridgedHost::replace_bridge() {
    auto next = make_engine();
    host_.kill_bridge(*next);
    watch_.reset();
    engine_ = std::move(next);
    watch_ = std::make_unique<Watch>(loop_, *engine_);
    runs_ = true;
}

void BridgedHost::end_bridge() {
    watch_.reset();
    runs_ = false;
}

void BridgedHost::turn() {
    while (runs_ && loss_ == OrderLoss::none) {
        const Exchange::Turn turn = host_.turn(steady_clock::now() + ahead_);
        loss_ = turn.loss;
        if (!turn.more)
            return;
    }
}

std::optional<Exchange::Time> BridgedHost::due() const {
    if (!runs_ || loss_ != OrderLoss::none)
        return std::nullopt;
    const std::optional<Exchange::Time> due = host_.exchange().due();
    return due ? std::optional(*due - ahead_) : std::nullopt;
}

std::string BridgedHost::text() const {
    const Link link = engine_->link();
    return std::string(text_of(loss_)) + "; " + std::string(name_of(link.state)) + " (" +
           link.trouble + "), has read up to " + std::to_string(order().resume_from()) + ", of " +
           std::to_string(host_.outbound.size()) + " bytes " + std::to_string(order().counted()) +
           " have counted, hash " + std::to_string(order().state().applied.hash) +
           ", and its log: " + host_.log;
}

void run_until(Loop& loop, const std::vector<std::unique_ptr<BridgedHost>>& hosts,
    const std::function<bool()>& condition, std::string_view what) {
    const auto deadline = steady_clock::now() + patience;
    for (;;) {
        auto next = deadline;
        for (const auto& host : hosts) {
            host->turn();
            next = std::min(next, host->due().value_or(deadline));
        }
        if (condition())
            return;
        const auto now = steady_clock::now();
        if (now >= deadline) {
            std::string message = "waited in vain for " + std::string(what);
            for (const auto& host : hosts)
                message += "\n" + host->text();
            throw std::runtime_error(message);
        }
        loop.turn(std::max(std::chrono::ceil<milliseconds>(next - now), milliseconds(0)));
    }
}

} // namespace chatserv::test
