#include "shared/segment/room_words.h"

namespace chatserv {

std::string_view name_of(LinkState state) {
    switch (state) {
    case LinkState::connecting:
        return "connecting";
    case LinkState::waiting:
        return "waiting";
    case LinkState::absent:
        return "absent";
    case LinkState::delivering:
        return "delivering";
    }
    return "unknown";
}

std::string_view text_of(OrderLoss loss) {
    switch (loss) {
    case OrderLoss::none:
        return "nothing is lost";
    case OrderLoss::removed:
        return "the stream no longer holds what this host has to read next";
    case OrderLoss::changed:
        return "the stream holds another message where this host has read one";
    case OrderLoss::backwards:
        return "the stream goes on below what this host has read";
    case OrderLoss::vanished:
        return "the stream does not exist any more";
    case OrderLoss::forged:
        return "the stream holds in this host's name what it has not sent";
    case OrderLoss::outvoted:
        return "other hosts have read something else, and no majority has read what this host has";
    }
    return "unknown";
}

} // namespace chatserv
