// The rendezvous: the stream over which a worker gets another channel.
//
// A channel can be lost in the middle of a message, in either direction: when the master dies, its
// successor knows neither what the worker has said nor what the worker has read. So the successor
// makes a new channel and sends the worker's end of it over the rendezvous, a UNIX stream socket
// that nothing else uses: one byte with one descriptor, which cannot be cut off in the middle. The
// worker gives up the old channel with everything that was on its way there, and both sides begin
// anew on the new one (protocol.h).
//
// The rendezvous lasts as long as the worker. Its end is the worker's end; the end of a channel is
// not, because another channel may follow.
#pragma once

#include "shared/system/fd.h"

namespace chatserv {

// What has become of an offer.
enum class Offered {
    sent,      // the worker finds it in its rendezvous
    not_now,   // the system takes no byte or no descriptor for now; try again later
    no_worker, // the worker has closed its rendezvous, which it does at its end
};

// The master's side. Sends the worker's end of a new channel over the rendezvous. Both descriptors
// are borrowed; afterwards the caller closes the channel's end.
[[nodiscard]] Offered offer_channel(int rendezvous, int channel);

struct Offer {
    enum class Kind {
        channel, // take `channel`, in place of every earlier one
        none,    // nothing is waiting for now
        lost,    // a channel was sent, and this process could not receive it
        closed,  // no master is there any more, and none will come
    };
    Kind kind;
    UniqueFd channel{}; // close-on-exec, as non-blocking as its sender made it
};

// The worker's side. Whether an offer waits in the rendezvous: its kind is then `channel` or
// `lost`. A worker that first closes its old channel has a descriptor free for the new one.
[[nodiscard]] Offer::Kind next_offer(int rendezvous);
// Takes it.
[[nodiscard]] Offer take_offer(int rendezvous);

} // namespace chatserv
