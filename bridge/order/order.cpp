#include "bridge/order/order.h"

#include "bridge/order/digest.h"
#include "shared/system/panic.h"

namespace chatserv {

using Verdict = Ruling::Verdict;

Order::Order(Incarnation incarnation, const OrderState& state) :
    incarnation_(incarnation), filter_(state.epoch, state.expected), trail_(state.applied),
    counted_(state.counted), base_(state.base) {}

// Where the message stands, as seen from those that were read.
Ruling Order::place(uint64_t number, uint64_t digest) const {
    const auto lost = [](OrderLoss loss) { return Ruling{.verdict = Verdict::lost, .loss = loss}; };
    const uint64_t last = trail_.last().number;
    if (number == last + 1 && recognized_)
        return Ruling{.verdict = Verdict::pass};
    if (number > last)
        return recognized_ ? Ruling{.verdict = Verdict::replay} : lost(OrderLoss::removed);
    const std::optional<Footprint> known = trail_.at(number);
    if (!known && recognized_)
        return lost(OrderLoss::backwards);
    if (!known)
        return Ruling{.verdict = Verdict::ignore, .below = true};
    if (known->digest != digest)
        return lost(OrderLoss::changed);
    return Ruling{.verdict = Verdict::ignore, .footprint = *known};
}

Ruling Order::judge(uint64_t number, std::string_view message) const {
    const uint64_t digest = Digest().add(message).value();
    std::optional<Batch> batch = read_batch(message);
    const bool ours = batch && batch->incarnation == incarnation_;
    const bool is_join = batch && batch->kind == MessageKind::join;

    Ruling ruling{.verdict = Verdict::pass};
    if (joined())
        ruling = place(number, digest);
    else if (!ours || !is_join)
        ruling.verdict = Verdict::ignore;
    if (ruling.verdict != Verdict::pass)
        return ruling;

    ruling.ours = ours;
    ruling.readable = batch.has_value();
    if (is_join) {
        ruling.verdict = Verdict::begin;
    } else if (batch && batch->kind == MessageKind::bytes) {
        ruling.filtered = filter_.look(*batch);
        if (ruling.filtered == Filter::Result::counts)
            ruling.verdict = Verdict::append;
    }
    ruling.asks =
        batch && !ours && batch->kind == MessageKind::ask && batch->epoch == filter_.epoch();
    // A new epoch is a new beginning, so that those who join can compare.
    Digest hash;
    if (!is_join)
        hash.add(trail_.last().hash);
    hash.add(number).add(digest).add(uint64_t{ruling.verdict == Verdict::append ? 1U : 0U});
    ruling.footprint = {.number = number, .digest = digest, .hash = hash.value()};
    if (batch)
        ruling.batch = std::move(*batch);
    return ruling;
}

void Order::apply(const Ruling& ruling) {
    switch (ruling.verdict) {
    case Verdict::lost:
        panic("a lost order was to go on");
    case Verdict::replay:
        recognized_ = false;
        return;
    case Verdict::ignore:
        if (joined() && ruling.footprint.number == trail_.last().number)
            recognized_ = true;
        return;
    case Verdict::begin:
        if (joined())
            trail_.add(ruling.footprint);
        else
            trail_.restart(ruling.footprint);
        recognized_ = true;
        filter_.begin_epoch(ruling.footprint.number);
        witnesses_.begin_epoch();
        base_ = counted_;
        return;
    case Verdict::append:
        filter_.count(ruling.batch);
        if (ruling.ours)
            counted_ = ruling.batch.to();
        break;
    case Verdict::pass:
        break;
    }
    // What it says of others is older than the message itself.
    if (ruling.readable && !ruling.ours)
        hear(ruling.batch);
    trail_.add(ruling.footprint);
}

void Order::hear(const Batch& batch) {
    if (batch.epoch != filter_.epoch())
        return;
    const std::optional<Footprint> there = trail_.at(batch.applied);
    if (!there)
        witnesses_.present(batch.incarnation);
    else if (there->hash == batch.hash)
        witnesses_.agrees(batch.incarnation, batch.applied);
    else
        witnesses_.differs(batch.incarnation, batch.applied);
}

OrderState Order::state() const {
    return {.applied = trail_.last(),
        .epoch = filter_.epoch(),
        .expected = filter_.expected(),
        .counted = counted_,
        .base = base_};
}

Batch Order::signed_batch(MessageKind kind) const {
    Batch batch{.kind = kind, .incarnation = incarnation_, .from = base_};
    if (kind == MessageKind::join)
        return batch;
    batch.epoch = filter_.epoch();
    batch.base = base_;
    batch.applied = trail_.last().number;
    batch.hash = trail_.last().hash;
    return batch;
}

} // namespace chatserv
