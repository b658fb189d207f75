// A host without a segment: its outbound log, its broadcast log, and the state that outlives its
// bridge.
#pragma once

#include "bridge/exchange.h"

#include <memory>
#include <string>

namespace chatserv::test {

class SimulatedHost : private Outbox, private Inbox {
public:
    // Bytes of the outbound log that go into one message, at most.
    SimulatedHost(Incarnation incarnation, Engine& engine, uint64_t piece_bytes_max = 16,
        const Exchange::Settings& settings = {}) :
        incarnation_(incarnation),
        engine_(&engine), piece_bytes_max_(piece_bytes_max), settings_(settings) {
        start_bridge();
    }

    void say(std::string_view text) { outbound += text; }

    // The bridge is killed, and another one begins with what was committed.
    void kill_bridge() { start_bridge(); }
    void kill_bridge(Engine& next_engine) {
        engine_ = &next_engine;
        start_bridge();
    }

    Exchange::Turn turn(Exchange::Time now) { return exchange_->turn(now); }
    [[nodiscard]] const Exchange& exchange() const { return *exchange_; }
    [[nodiscard]] bool all_counted() const {
        return exchange_->order().counted() == outbound.size();
    }

    std::string outbound;
    std::string log;
    bool has_room = true;
    uint64_t freed = 0;

private:
    [[nodiscard]] uint64_t head() const override { return outbound.size(); }
    [[nodiscard]] OutboundPiece read(uint64_t from) override {
        const std::string_view bytes = std::string_view(outbound).substr(from, piece_bytes_max_);
        return {
            .chunks = {{SlotId(0), 1, static_cast<uint32_t>(bytes.size()), from + bytes.size()}},
            .bytes = bytes};
    }
    void counted(uint64_t to) override { freed = to; }

    [[nodiscard]] bool commit(const Ruling& ruling, std::string_view history) override {
        if (!has_room)
            return false;
        log += ruling.verdict == Ruling::Verdict::append ? ruling.batch.bytes : history;
        commit_state(ruling);
        return true;
    }
    // What a segment has to commit, from the ruling alone.
    void commit_state(const Ruling& ruling) {
        state_.applied = ruling.footprint;
        if (ruling.verdict == Ruling::Verdict::begin) {
            state_.epoch = ruling.footprint.number;
            state_.expected.clear();
            state_.base = state_.counted;
        } else if (ruling.verdict == Ruling::Verdict::append) {
            state_.expected[ruling.batch.incarnation] = ruling.batch.to();
            if (ruling.ours)
                state_.counted = ruling.batch.to();
        }
    }

    void start_bridge() {
        Order order = state_.epoch == 0 ? Order(incarnation_) : Order(incarnation_, state_);
        Outbox& outbox = *this;
        Inbox& inbox = *this;
        exchange_ =
            std::make_unique<Exchange>(*engine_, outbox, inbox, std::move(order), settings_);
    }

    Incarnation incarnation_;
    Engine* engine_;
    uint64_t piece_bytes_max_;
    Exchange::Settings settings_;
    OrderState state_;
    std::unique_ptr<Exchange> exchange_;
};

} // namespace chatserv::test
