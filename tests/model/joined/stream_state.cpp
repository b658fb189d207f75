#include "tests/model/joined/stream_state.h"

#include "bridge/order/digest.h"
#include "shared/system/panic.h"
#include "tests/model/simulator.h"

#include <algorithm>
#include <span>

namespace chatserv::model {

namespace {

StreamMessage made_of(std::string_view text) {
    StreamMessage message;
    invariant(text.size() <= message.text.size(), "the model is wrong: a message is too long");
    message.digest = Digest().add(text).value();
    message.bytes = text.size();
    std::copy(text.begin(), text.end(), message.text.begin());
    return message;
}

} // namespace

void StreamState::add_to(Hash& hash) const {
    for (const StreamMessage& message : std::span(messages).first(count))
        hash.add(message.digest);
    for (const StreamMessage& message : std::span(under_way).first(under_way_count))
        hash.add(message.digest);
    for (const uint64_t number : {count, under_way_count, waits, next, follows, is_due, time_is_up,
             words_left, joins_left, losses_left, repeats_left, hurries_left})
        hash.add(number);
    hash.add(published_to);
}

void StreamState::append(std::string_view text) {
    invariant(count < stream_max, "the model is wrong: the stream is too long");
    messages.at(count++) = made_of(text);
}

void StreamState::publish(std::string_view text, bool has_bytes) {
    if (!has_bytes && asks_wait == 0 && under_way_count == 0)
        return append(text);
    invariant(under_way_count < under_way_max, "the model is wrong: too much is under way");
    under_way.at(under_way_count++) = made_of(text);
}

void StreamState::take_first() {
    append(under_way.front().view());
    lose_first();
}

void StreamState::lose_first() {
    std::rotate(under_way.begin(), under_way.begin() + 1, under_way.end());
    under_way.back() = {};
    --under_way_count;
}

void StreamState::repeat_first() {
    append(under_way.front().view());
    std::rotate(under_way.begin(), under_way.begin() + 1, under_way.begin() + under_way_count);
}

void StreamState::disconnect() {
    waits = 0;
    next = 0;
    follows = 0;
    is_due = 0;
    time_is_up = 0;
}

} // namespace chatserv::model
