// The one order: what a host makes of the messages of the stream, one by one. It decides without a
// clock, a random number or a word of the engine's, so all hosts that read the same stream decide
// alike; and it notices a stream that is not the same any more.
//
// A host begins at its own join: what comes before is not for it. From then on each message has the
// number after the last one's. The engine begins again wherever it had to at the last message that
// it has delivered, not behind it: that it is the same one shows that the stream is.
#pragma once

#include "bridge/order/batch.h"
#include "bridge/order/filter.h"
#include "bridge/order/trail.h"
#include "bridge/order/witnesses.h"
#include "shared/segment/room_words.h"

#include <cstdint>
#include <string_view>

namespace chatserv {

// What has to survive the process: committed together with what was appended.
struct OrderState {
    Footprint applied{};
    uint64_t epoch = 0; // 0: not joined
    Filter::Expected expected{};
    uint64_t counted = 0; // of our own outbound log: all below has counted
    uint64_t base = 0;    // what `counted` was when the epoch began

    bool operator==(const OrderState&) const = default;
};

struct Ruling {
    enum class Verdict {
        append, // the batch's bytes are next in the broadcast log
        begin,  // a join: a new epoch; of our own: the beginning
        pass,   // a message that adds nothing to the log
        ignore, // no message to us: one before our join, or one that we have read
        replay, // messages are missing: the engine is to deliver from Order::resume_from() on
        lost,   // see `loss`
    };
    Verdict verdict{};
    OrderLoss loss = OrderLoss::none;
    Filter::Result filtered = Filter::Result::counts; // of a message of kind bytes
    bool readable = false;                            // whether `batch` is set
    bool ours = false;
    bool asks = false; // another host asks this one to say that it is there
    // Ignored, as it is older than all that this process knows, and the last one that was read has
    // not come yet: the engine reads a copy of the stream that lags behind, or the stream is
    // another one. Which of the two shows when the last one comes, or does not.
    bool below = false;
    Batch batch{}; // its bytes point into the message
    Footprint footprint{};
};

class Order {
public:
    // Of a life that has not joined yet.
    explicit Order(Incarnation incarnation) : incarnation_(incarnation), trail_(Footprint{}) {}
    // A successor's, from what was kept of its predecessor's.
    Order(Incarnation incarnation, const OrderState& state);

    // What is to be done with the message that the engine delivers next. Changes nothing.
    [[nodiscard]] Ruling judge(uint64_t number, std::string_view message) const;
    // Does it, for every verdict but `lost`. After append, state() is what is to be committed with
    // it.
    void apply(const Ruling& ruling);

    [[nodiscard]] bool joined() const { return filter_.epoch() != 0; }
    // From which number on the engine is to deliver to a process that begins or has missed
    // something; 0: what is published from now on.
    [[nodiscard]] uint64_t resume_from() const { return trail_.last().number; }
    [[nodiscard]] OrderState state() const;
    [[nodiscard]] uint64_t counted() const { return counted_; }

    // A message of ours, which says how far we have read. The caller adds what it is about.
    [[nodiscard]] Batch signed_batch(MessageKind kind) const;

    [[nodiscard]] const Witnesses& witnesses() const { return witnesses_; }

private:
    [[nodiscard]] Ruling place(uint64_t number, uint64_t digest) const;
    void hear(const Batch& batch);

    Incarnation incarnation_;
    Filter filter_;
    Trail trail_;
    Witnesses witnesses_;
    bool recognized_ = false; // whether the engine has delivered the last message, since it began
    uint64_t counted_ = 0;
    uint64_t base_ = 0;
};

} // namespace chatserv
