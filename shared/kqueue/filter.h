// What a filter does for a knote, after the BSD kernels' `struct filterops`.
#pragma once

#include "knote.h"

#include <cstdint>
#include <sys/event.h>

namespace kq {

class Kqueue;

struct FilterOps {
    // Begins to watch. Returns an errno; on failure nothing is left behind.
    int (*attach)(Kqueue& kqueue, Knote& knote);
    // Takes over the fflags and data of a change to an existing knote. Returns an errno.
    int (*touch)(Kqueue& kqueue, Knote& knote, const struct kevent& change);
    // Ends watching. Returns an errno if the descriptor had gone already.
    int (*detach)(Kqueue& kqueue, Knote& knote);
    // After a change to an enabled knote: lets it be reported if it is ready now.
    void (*evaluate)(Kqueue& kqueue, Knote& knote);
    // After it was disabled.
    void (*suspend)(Kqueue& kqueue, Knote& knote);
    // Fills in fflags, data and further flags of an event; false if there is none after all.
    // `events` is what epoll said, 0 for a knote from the ready queue.
    bool (*report)(Kqueue& kqueue, Knote& knote, std::uint32_t events, struct kevent& event);
};

// Null if the filter is not supported.
[[nodiscard]] const FilterOps* filter_ops(std::int16_t filter);

extern const FilterOps read_ops;
extern const FilterOps write_ops;
extern const FilterOps file_ops; // READ and WRITE of what has no readiness: regular files
extern const FilterOps vnode_ops;
extern const FilterOps timer_ops;
extern const FilterOps process_ops;
extern const FilterOps signal_ops;
extern const FilterOps user_ops;

// For the filters of which epoll says when they are ready.
void evaluate_registration(Kqueue& kqueue, Knote& knote);
void suspend_registration(Kqueue& kqueue, Knote& knote);
// Stores fflags and data.
int touch_parameters(Kqueue& kqueue, Knote& knote, const struct kevent& change);

} // namespace kq
