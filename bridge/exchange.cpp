#include "bridge/exchange.h"

#include <algorithm>
#include <utility>

namespace chatserv {

using Verdict = Ruling::Verdict;

Exchange::Exchange(
    Engine& engine, Outbox& outbox, Inbox& inbox, Order order, const Settings& settings) :
    engine_(engine),
    outbox_(outbox), inbox_(inbox), order_(std::move(order)),
    publication_(order_.counted(), settings.under_way_bytes_max),
    epoch_bytes_max_(settings.epoch_bytes_max), to_ask_(order_.joined()) {
    if (!order_.joined() && settings.history.wanted())
        history_.emplace(settings.history, settings.history_bytes_max);
    begin();
}

void Exchange::begin() {
    if (order_.joined())
        engine_.replay(order_.resume_from());
    else
        engine_.begin(history_ ? Beginning::oldest : Beginning::now);
}

Exchange::Turn Exchange::turn(Time now) {
    engine_.look();
    // What was there of a stream that is gone was nothing to this host.
    if (!order_.joined() && engine_.link().state == LinkState::absent) {
        held_.reset();
        begin();
    }
    Turn turn = read(now);
    if (turn.loss == OrderLoss::none && is_absent(now))
        turn.loss = OrderLoss::vanished;
    if (turn.loss == OrderLoss::none && stays_below(now))
        turn.loss = OrderLoss::backwards;
    if (turn.loss == OrderLoss::none)
        turn.loss = doubt(now);
    if (turn.loss == OrderLoss::none)
        publish(now);
    return turn;
}

Exchange::Turn Exchange::read(Time now) {
    for (int i = 0; i < deliveries_per_turn; ++i) {
        if (!held_)
            held_ = engine_.take();
        if (!held_)
            return {};
        if (history_)
            look_back(*held_, now);
        const Ruling ruling = order_.judge(held_->number, held_->message);
        if (ruling.verdict == Verdict::lost)
            return {.loss = ruling.loss};
        const bool appends = ruling.verdict == Verdict::append;
        if (appends && ruling.ours && ruling.batch.to() > outbox_.head())
            return {.loss = OrderLoss::forged};
        const bool changes =
            appends || ruling.verdict == Verdict::begin || ruling.verdict == Verdict::pass;
        if (changes && !inbox_.commit(ruling, history_ ? history_->text() : ""))
            return {.no_room = true};
        obey(ruling, now);
        held_.reset();
    }
    return {.more = true};
}

// As long as messages come, the join may be behind them.
void Exchange::look_back(const Delivery& delivery, Time now) {
    history_->read(delivery.number, delivery.message);
    read_at_ = now;
    join_at_ = std::min(joining_at_ + join_pause_max, now + join_pause);
}

// The host whose message makes the epoch too long begins the next one. If it dies, or what it says
// is lost, the host does that makes it longer by as much again.
void Exchange::add_to_epoch(const Ruling& ruling, uint64_t bytes) {
    const uint64_t times = epoch_bytes_ / epoch_bytes_max_;
    epoch_bytes_ += bytes;
    if (ruling.ours && epoch_bytes_ / epoch_bytes_max_ != times)
        to_begin_epoch_ = true;
}

void Exchange::obey(const Ruling& ruling, Time now) {
    order_.apply(ruling);
    counts_.appended += ruling.verdict == Verdict::append ? 1 : 0;
    counts_.dropped += ruling.filtered != Filter::Result::counts ? 1 : 0;
    if (!ruling.below)
        below_since_.reset();
    else if (!below_since_)
        below_since_ = now;
    if (ruling.verdict == Verdict::replay) {
        begin();
    } else if (ruling.verdict == Verdict::begin) {
        publication_.begin_epoch(now);
        to_say_here_ = true;
        to_ask_ = false; // all say that they are there
        history_.reset();
        epoch_bytes_ = 0;
        to_begin_epoch_ = false;
    } else if (ruling.verdict == Verdict::append && ruling.ours) {
        publication_.counted(order_.counted(), now);
        outbox_.counted(order_.counted());
    }
    if (ruling.verdict == Verdict::append)
        add_to_epoch(ruling, held_->message.size());
    if (ruling.asks)
        to_say_here_ = true;
    if (ruling.readable && ruling.ours && ruling.batch.kind == MessageKind::ask)
        to_ask_ = false;
}

OrderLoss Exchange::doubt(Time now) {
    // Nobody can answer, so nobody's silence says anything.
    if (engine_.link().state != LinkState::delivering) {
        doubt_ = {};
        return OrderLoss::none;
    }
    switch (doubt_.look(order_.witnesses(), now)) {
    case Doubt::Step::none:
        break;
    case Doubt::Step::ask:
        (void)say(MessageKind::ask); // asked again if it does not get there
        break;
    case Doubt::Step::lost:
        return OrderLoss::outvoted;
    }
    return OrderLoss::none;
}

void Exchange::publish(Time now) {
    if (!order_.joined()) {
        join(now);
        return;
    }
    ask_who_is_there(now);
    if (to_begin_epoch_ && say(MessageKind::join))
        to_begin_epoch_ = false;
    if (to_say_here_ && say(MessageKind::here))
        to_say_here_ = false;
    counts_.published_again += publication_.again(now) ? 1 : 0;
    while (const std::optional<uint64_t> from = publication_.next(outbox_.head())) {
        OutboundPiece piece = outbox_.read(*from);
        Batch batch = order_.signed_batch(MessageKind::bytes);
        batch.from = *from;
        batch.chunks = std::move(piece.chunks);
        batch.bytes = piece.bytes;
        if (!engine_.publish(written(batch)))
            return;
        publication_.published(batch.to(), now);
    }
}

void Exchange::join(Time now) {
    if (now < join_at_ || engine_.link().state != LinkState::delivering)
        return;
    if (say(MessageKind::join)) {
        joining_at_ = now;
        join_at_ = now + join_pause;
    }
}

void Exchange::ask_who_is_there(Time now) {
    if (to_ask_ && now >= ask_at_ && say(MessageKind::ask))
        ask_at_ = now + join_pause;
}

bool Exchange::say(MessageKind kind) {
    return engine_.publish(written(order_.signed_batch(kind)));
}

bool Exchange::is_absent(Time now) const {
    const Link link = engine_.link();
    return order_.joined() && link.state == LinkState::absent && now - link.since >= absent_limit;
}

bool Exchange::stays_below(Time now) {
    if (engine_.link().state != LinkState::delivering)
        below_since_.reset();
    return below_since_ && now - *below_since_ >= below_limit;
}

std::optional<Exchange::Time> Exchange::waiting_since() const {
    const Link link = engine_.link();
    if (link.state != LinkState::delivering)
        return std::nullopt;
    return order_.joined() ? publication_.waiting_since() : std::max(link.since, read_at_);
}

std::optional<Exchange::Time> Exchange::due() const {
    std::optional<Time> earliest;
    const auto consider = [&earliest](std::optional<Time> time) {
        if (time && (!earliest || *time < *earliest))
            earliest = time;
    };
    consider(publication_.due());
    consider(doubt_.due());
    if (below_since_)
        consider(*below_since_ + below_limit);
    const Link link = engine_.link();
    if (!order_.joined() && link.state == LinkState::delivering)
        consider(join_at_);
    if (order_.joined() && to_ask_ && link.state == LinkState::delivering)
        consider(ask_at_);
    if (order_.joined() && link.state == LinkState::absent)
        consider(link.since + absent_limit);
    return earliest;
}

} // namespace chatserv
