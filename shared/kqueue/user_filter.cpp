// EVFILT_USER: events that the program triggers itself.
#include "kqueue.h"

namespace kq {

namespace {

void combine_flags(Knote& knote, std::uint32_t change) {
    const std::uint32_t flags = change & NOTE_FFLAGSMASK;
    switch (change & NOTE_FFCTRLMASK) {
    case NOTE_FFAND:
        knote.sfflags &= flags;
        break;
    case NOTE_FFOR:
        knote.sfflags |= flags;
        break;
    case NOTE_FFCOPY:
        knote.sfflags = flags;
        break;
    default: // NOTE_FFNOP
        break;
    }
}

int attach(Kqueue&, Knote& knote) {
    knote.triggered = (knote.sfflags & NOTE_TRIGGER) != 0;
    knote.sfflags &= NOTE_FFLAGSMASK;
    return 0;
}

int touch(Kqueue& kqueue, Knote& knote, const struct kevent& change) {
    if (change.fflags & NOTE_TRIGGER)
        knote.triggered = true;
    combine_flags(knote, change.fflags);
    knote.sdata = change.data;
    if (change.flags & EV_CLEAR) {
        knote.triggered = false;
        kqueue.ready().remove(knote);
    }
    return 0;
}

int detach(Kqueue&, Knote&) {
    return 0;
}

void evaluate(Kqueue& kqueue, Knote& knote) {
    if (knote.triggered)
        kqueue.ready().push(knote);
}

void suspend(Kqueue& kqueue, Knote& knote) {
    kqueue.ready().remove(knote);
}

bool report(Kqueue& kqueue, Knote& knote, std::uint32_t, struct kevent& event) {
    event.fflags = knote.sfflags;
    event.data = knote.sdata;
    if (knote.flags & EV_CLEAR)
        knote.triggered = false;
    else
        kqueue.ready().push(knote);
    return true;
}

} // namespace

const FilterOps user_ops{attach, touch, detach, evaluate, suspend, report};

} // namespace kq
