// The channel between the master and one worker: framed messages and descriptors over a UNIX
// stream socket.
//
// A frame is a header, its payload, and up to descriptors_max descriptors (SCM_RIGHTS), which
// travel with the frame's first byte. Neither side ever waits for the other: bytes that the socket
// does not take at once are kept, and sent when the socket is writable. A message is only a hint;
// the state itself is in the segment and in the master's escrow. A message that is lost with a dead
// peer loses no other state.
#pragma once

#include "shared/ipc/passed_descriptors.h"
#include "shared/system/fd.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <span>
#include <sys/socket.h>
#include <type_traits>
#include <vector>

namespace chatserv {

inline constexpr size_t payload_bytes_max = 8 * 1024;

// The channel carries types without knowing them: see protocol.h. A peer can send any number, so a
// received type may be none of those.
enum class MessageType : uint16_t;

struct FrameHeader {
    uint32_t payload_bytes;
    MessageType type;
    uint16_t descriptors;
};
static_assert(sizeof(FrameHeader) == 8 && std::is_trivially_copyable_v<FrameHeader>);

// A frame of one item, for a process without a Channel: a child between fork(2) and exec(2) can
// write(2) it.
template <typename Item>
struct Frame {
    static_assert(std::is_trivially_copyable_v<Item> && alignof(Item) <= sizeof(FrameHeader));
    Frame(MessageType type, const Item& content) :
        header{.payload_bytes = sizeof(Item), .type = type, .descriptors = 0}, item(content) {}

    FrameHeader header;
    Item item;
};

struct Message {
    MessageType type{};
    std::vector<char> payload;
    std::vector<UniqueFd> descriptors;
    // The frame's descriptors are lost, as this process had no room for them (EMFILE).
    bool descriptors_lost = false;

    // The payload as an array of Item, or nothing if its size is no multiple of Item's.
    template <typename Item>
    [[nodiscard]] std::optional<std::vector<Item>> items() const {
        static_assert(std::is_trivially_copyable_v<Item>);
        if (payload.size() % sizeof(Item) != 0)
            return std::nullopt;
        std::vector<Item> items(payload.size() / sizeof(Item));
        if (!items.empty())
            std::memcpy(items.data(), payload.data(), payload.size());
        return items;
    }
};

class Channel {
public:
    enum class Sent {
        all,    // nothing is left to send
        partly, // flush() again when the socket is writable
        broken, // the peer is gone
    };
    enum class Received {
        message,   // `message` was filled in
        nothing,   // there is no whole message for now
        closed,    // the peer is gone, and every message that it sent was received
        malformed, // the peer sent bytes that no version of ours sends; close the channel
    };

    explicit Channel(UniqueFd socket);

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] bool open() const { return static_cast<bool>(socket_); }
    void close() { socket_.reset(); }

    // Queues a message; flush() sends it. The descriptors are borrowed and must stay open until
    // then. At most payload_bytes_max and descriptors_max.
    template <typename Item>
    void queue(
        MessageType type, std::span<const Item> items, std::span<const int> descriptors = {}) {
        static_assert(std::is_trivially_copyable_v<Item>);
        queue_bytes(type, std::as_bytes(items), descriptors);
    }
    // The same without descriptors, for any number of items: in frames of as many as fit.
    template <typename Item>
    void queue_all(MessageType type, std::span<const Item> items) {
        constexpr size_t per_frame = payload_bytes_max / sizeof(Item);
        while (!items.empty()) {
            const std::span<const Item> frame = items.first(std::min(per_frame, items.size()));
            queue(type, frame);
            items = items.subspan(frame.size());
        }
    }
    void queue(MessageType type) { queue_bytes(type, {}, {}); }

    [[nodiscard]] Sent flush();
    [[nodiscard]] bool has_unsent() const { return !outgoing_.empty(); }
    [[nodiscard]] Received receive(Message& message);
    // Whether bytes were received that receive() has not parsed. No event reports those.
    [[nodiscard]] bool has_unread() const { return parsed_bytes_ < incoming_.size(); }

private:
    struct Outgoing {
        std::vector<char> frame;
        std::vector<int> descriptors;
        size_t sent_bytes = 0;
    };
    struct DescriptorSet { // the descriptors of one recvmsg(2)
        std::vector<UniqueFd> descriptors{};
        bool lost = false;
    };
    enum class Read { some, nothing, closed };

    void queue_bytes(
        MessageType type, std::span<const std::byte> payload, std::span<const int> descriptors);
    [[nodiscard]] Read read_more();
    [[nodiscard]] ssize_t read_into(std::span<char> room);
    void keep_descriptors(msghdr& message);
    [[nodiscard]] Received parse(Message& message);
    [[nodiscard]] bool holds_unclaimed_descriptors() const;

    UniqueFd socket_;
    std::deque<Outgoing> outgoing_;
    std::vector<char> incoming_;
    size_t parsed_bytes_ = 0; // of incoming_
    std::deque<DescriptorSet> incoming_descriptors_;
};

} // namespace chatserv
