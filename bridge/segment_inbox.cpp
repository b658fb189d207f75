#include "bridge/segment_inbox.h"

#include <algorithm>

namespace chatserv {
namespace {

// The next offset that counts of this host.
void expect(std::vector<ExpectedRecord>& records, Incarnation host, uint64_t offset) {
    const auto at = std::ranges::lower_bound(records, host, {}, &ExpectedRecord::incarnation);
    if (at != records.end() && at->incarnation == host)
        at->offset = offset;
    else
        records.insert(at, {.incarnation = host, .offset = offset});
}

} // namespace

SegmentInbox::SegmentInbox(const Segment& segment, const Doorbells& doorbells) :
    appender_(segment), log_(segment), doorbells_(doorbells), entry_(segment.bridge_entry()),
    progress_(appender_.state_in_force()) {
    if (progress_)
        expected_.assign(progress_->expected.begin(), progress_->expected.end());
}

std::optional<OrderState> SegmentInbox::state() const {
    if (!progress_)
        return std::nullopt;
    OrderState state{.applied = {.number = progress_->applied_number,
                         .digest = progress_->applied_digest,
                         .hash = progress_->applied_hash},
        .epoch = progress_->epoch,
        .counted = progress_->counted,
        .base = progress_->base};
    for (const ExpectedRecord& record : expected_)
        state.expected.emplace(record.incarnation, record.offset);
    return state;
}

// What Order::apply() makes of its state, of which it is the copy that survives.
bool SegmentInbox::commit(const Ruling& ruling, std::string_view history) {
    RoomProgress after = progress_.value_or(RoomProgress{});
    after.applied_number = ruling.footprint.number;
    after.applied_digest = ruling.footprint.digest;
    after.applied_hash = ruling.footprint.hash;
    next_expected_ = expected_;
    const bool appends = ruling.verdict == Ruling::Verdict::append;
    if (ruling.verdict == Ruling::Verdict::begin) {
        after.epoch = ruling.footprint.number;
        after.base = after.counted;
        next_expected_.clear();
    } else if (appends) {
        expect(next_expected_, ruling.batch.incarnation, ruling.batch.to());
        if (ruling.ours)
            after.counted = ruling.batch.to();
    }
    after.expected = next_expected_;
    waits_for_ = Wait::nothing;
    if (appends) {
        if (!append(
                {.bytes = ruling.batch.bytes, .chunks = ruling.batch.chunks, .ours = ruling.ours},
                after))
            return false;
    } else if (!history.empty()) {
        if (!append({.bytes = history}, after))
            return false;
    } else {
        appender_.commit(after);
    }
    expected_.swap(next_expected_);
    progress_ = after;
    return true;
}

bool SegmentInbox::append(const BridgedAppender::Addition& addition, const RoomProgress& after) {
    switch (appender_.append(addition, after)) {
    case BridgedAppender::Result::appended:
        doorbells_.ring(wake_on_growth | wake_on_unlock, entry_);
        return true;
    case BridgedAppender::Result::no_room:
        waits_for_ = Wait::room;
        tell_room_wanted();
        return false;
    case BridgedAppender::Result::locked_out:
        waits_for_ = Wait::lock;
        return false;
    }
    return false;
}

// Once, as a worker does (worker/relay/pass.cpp): if each attempt told it, this process and a
// worker would keep each other awake.
void SegmentInbox::tell_room_wanted() {
    const uint64_t wanted = log_.room_wanted();
    const bool is_new = wanted != told_room_wanted_;
    told_room_wanted_ = wanted;
    doorbells_.ring(is_new ? wake_on_growth | wake_on_unlock : wake_on_unlock, entry_);
}

} // namespace chatserv
