// The worker's link to the master: the channel, and the rendezvous over which another channel comes
// in its place.
//
// The master can die at any instant, within a message too, and nothing of that is seen here but the
// end of the channel. Until the next master has sent a new one, what is said is dropped: on the new
// channel everything is said that the master may not know. The link ends with the rendezvous.
#pragma once

#include "shared/ipc/channel.h"
#include "shared/ipc/rendezvous.h"
#include "shared/system/event_queue.h"
#include "shared/system/fd.h"

#include <optional>
#include <span>

namespace chatserv {

class MasterLink {
public:
    // Throws std::system_error if the system refuses to watch them.
    MasterLink(UniqueFd channel, UniqueFd rendezvous, EventQueue& events);

    // The rendezvous is readable. Takes the channel that waits there; if there are several, the
    // last. The old channel is closed first, with its unread messages and their descriptors, so
    // that this process always has a descriptor for the new one.
    [[nodiscard]] Offer::Kind take_new_channel();

    // As Channel::receive(), but a channel that has ended says `nothing`.
    [[nodiscard]] Channel::Received receive(Message& message);
    [[nodiscard]] bool has_unread() const { return channel_ && channel_->has_unread(); }

    // Queues messages, in frames of as many items as fit; flush() sends them.
    template <typename Item>
    void say_all(MessageType type, std::span<const Item> items) {
        if (channel_)
            channel_->queue_all(type, items);
    }
    template <typename Item>
    void say(MessageType type, const Item& item) {
        say_all(type, std::span(&item, 1));
    }
    void say(MessageType type) {
        if (channel_)
            channel_->queue(type);
    }
    // Sends what the channel takes now; its event, when it is writable, calls for the rest.
    void flush();

private:
    void close_channel();

    EventQueue& events_;
    UniqueFd rendezvous_;
    std::optional<Channel> channel_; // none: it has ended, and another is waited for
};

} // namespace chatserv
