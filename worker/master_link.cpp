#include "worker/master_link.h"

#include "shared/segment/crash_point.h"
#include "shared/system/errors.h"
#include "shared/system/panic.h"
#include "worker/clients/client.h"

#include <utility>

namespace chatserv {

MasterLink::MasterLink(UniqueFd channel, UniqueFd rendezvous, EventQueue& events) :
    events_(events), rendezvous_(std::move(rendezvous)), channel_(std::move(channel)) {
    require(events_.watch_readable(channel_->fd(), WorkerEvent::channel),
        "watching the master's channel");
    require(events_.watch_readable(rendezvous_.get(), WorkerEvent::rendezvous),
        "watching the master's rendezvous");
}

Offer::Kind MasterLink::take_new_channel() {
    Offer::Kind taken = Offer::Kind::none;
    for (;;) {
        const Offer::Kind next = next_offer(rendezvous_.get());
        if (next != Offer::Kind::channel)
            return next == Offer::Kind::none ? taken : next;
        close_channel();
        Offer offer = take_offer(rendezvous_.get());
        if (offer.kind == Offer::Kind::channel) {
            crash_point(CrashPoint::channel_taken);
            channel_.emplace(std::move(offer.channel));
            const int error = events_.watch_readable(channel_->fd(), WorkerEvent::channel);
            invariant(error == 0, "a worker could not watch its new channel");
        }
        taken = offer.kind;
        if (taken == Offer::Kind::lost)
            return taken;
    }
}

Channel::Received MasterLink::receive(Message& message) {
    if (!channel_)
        return Channel::Received::nothing;
    const Channel::Received received = channel_->receive(message);
    if (received != Channel::Received::closed)
        return received;
    close_channel();
    return Channel::Received::nothing;
}

// A channel that is broken is closed by receive(), after its last messages.
void MasterLink::flush() {
    if (!channel_ || channel_->flush() != Channel::Sent::partly)
        return;
    const int error = events_.watch_writable_once(channel_->fd(), WorkerEvent::channel);
    invariant(error == 0, "a worker could not wait for the master's channel");
}

// The filters go first: a message that is on its way could still hold a copy of the descriptor.
void MasterLink::close_channel() {
    if (!channel_)
        return;
    events_.unwatch_readable(channel_->fd());
    events_.unwatch_writable(channel_->fd());
    channel_.reset();
}

} // namespace chatserv
