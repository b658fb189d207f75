// What a filter does for a knote, modelled on the BSD kernels' `struct filterops`.
#pragma once

#include "knote.h"

#include <cstdint>
#include <sys/event.h>

namespace kq {

class Kqueue;

struct FilterOps {
    // Begins to watch. Returns 0 or an errno; on failure nothing is left behind.
    int (*attach)(Kqueue& kqueue, Knote& knote);
    // Applies the fflags and data of a change to an existing knote. Returns 0 or an errno.
    int (*touch)(Kqueue& kqueue, Knote& knote, const struct kevent& change);
    // Ends watching. Returns 0, or an errno if the descriptor was already closed.
    int (*detach)(Kqueue& kqueue, Knote& knote);
    // Called after a change to an enabled knote: has the knote reported if it is ready now.
    void (*evaluate)(Kqueue& kqueue, Knote& knote);
    // Called after the knote was disabled.
    void (*suspend)(Kqueue& kqueue, Knote& knote);
    // Fills in fflags, data and further flags of an event. Returns false if there is no event to
    // report after all. `events` are the EPOLL* events, or 0 for a knote from the ready queue.
    bool (*report)(Kqueue& kqueue, Knote& knote, std::uint32_t events, struct kevent& event);
};

// Null if the filter is not supported.
[[nodiscard]] const FilterOps* filter_ops(std::int16_t filter);

extern const FilterOps read_ops;
extern const FilterOps write_ops;
extern const FilterOps file_ops; // READ and WRITE of files that epoll cannot watch
extern const FilterOps vnode_ops;
extern const FilterOps timer_ops;
extern const FilterOps process_ops;
extern const FilterOps signal_ops;
extern const FilterOps user_ops;

// `evaluate` and `suspend` of the filters whose readiness epoll reports.
void evaluate_registration(Kqueue& kqueue, Knote& knote);
void suspend_registration(Kqueue& kqueue, Knote& knote);
// A `touch` that only stores fflags and data.
int touch_parameters(Kqueue& kqueue, Knote& knote, const struct kevent& change);

} // namespace kq
