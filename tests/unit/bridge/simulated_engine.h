// An engine without servers: one stream for the engines of several hosts. What they publish gets
// into the stream, twice, late or never, as the test decides.
#pragma once

#include "bridge/engine/engine.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

namespace chatserv::test {

struct SimulatedStream {
    [[nodiscard]] uint64_t last() const { return first + messages.size() - 1; }
    [[nodiscard]] const std::string& at(uint64_t number) const { return messages[number - first]; }

    uint64_t first = 1; // the number of messages.front()
    std::deque<std::string> messages;
    std::vector<std::string> under_way; // published, and not in the stream yet
};

class SimulatedEngine : public Engine {
public:
    explicit SimulatedEngine(SimulatedStream& stream) : stream_(&stream) {}

    [[nodiscard]] bool publish(std::string_view message) override {
        if (state.state != LinkState::delivering)
            return false;
        stream_->under_way.emplace_back(message);
        return true;
    }
    void begin(Beginning beginning) override {
        next_ = beginning == Beginning::oldest ? stream_->first : stream_->last() + 1;
        delivered_.reset();
        replayed.push_back(0);
    }
    void replay(uint64_t from) override {
        // As JetStream does it: from the next number if the stream does not get as far.
        next_ = from > stream_->last() ? stream_->last() + 1 : from;
        delivered_.reset();
        replayed.push_back(from);
    }
    [[nodiscard]] std::optional<Delivery> take() override {
        if (state.state != LinkState::delivering || next_ > stream_->last())
            return std::nullopt;
        next_ = std::max(next_, stream_->first);
        const uint64_t number = next_++;
        delivered_ = number;
        return Delivery{.number = number, .message = stream_->at(number)};
    }
    [[nodiscard]] Link link() const override { return state; }
    [[nodiscard]] int fd() const override { return -1; }
    void look() override {}

    // From now on it reads and publishes there.
    void read_from(SimulatedStream& stream) { stream_ = &stream; }
    // The next deliveries are missing, but not the first one after begin() or replay().
    void skip(uint64_t deliveries) {
        if (delivered_)
            next_ += deliveries;
    }
    // It has to begin again.
    void begin_again() {
        if (delivered_)
            next_ = *delivered_;
    }

    Link state{.state = LinkState::delivering};
    std::vector<uint64_t> replayed; // 0: begin()

private:
    SimulatedStream* stream_;
    uint64_t next_ = 1;
    std::optional<uint64_t> delivered_; // the last one since replay()
};

} // namespace chatserv::test
