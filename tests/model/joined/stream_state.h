// The stream of a joined room as the model has it, and how far the engine of this host's bridge has
// read it. It is plain data, part of the model's state.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chatserv::model {

struct Hash;

inline constexpr size_t stream_max = 16; // messages
inline constexpr size_t under_way_max = 8;
inline constexpr size_t stream_text_max = 160; // bytes of a message

struct StreamMessage {
    uint64_t digest = 0; // of the text
    uint64_t bytes = 0;
    std::array<char, stream_text_max> text;

    StreamMessage() = default;
    // What is behind the text is not copied: the search copies messages all the time.
    StreamMessage(const StreamMessage& other) { *this = other; }
    StreamMessage& operator=(const StreamMessage& other) {
        digest = other.digest;
        bytes = other.bytes;
        std::copy_n(other.text.begin(), bytes, text.begin());
        return *this;
    }
    [[nodiscard]] std::string_view view() const { return {text.data(), bytes}; }
};

struct StreamState {
    std::array<StreamMessage, stream_max> messages;     // the one of number n is at n - 1
    std::array<StreamMessage, under_way_max> under_way; // published, and not in the stream yet
    uint8_t count;                                      // of messages
    uint8_t under_way_count;

    uint8_t asks_wait; // a message without bytes waits on its way, as one with bytes does

    // Of the bridge that is at work.
    uint8_t waits;      // it waits for an event: what happens to the stream meanwhile is as good as
                        // if it had happened since its last look
    uint8_t next;       // the place of the message that its engine delivers next
    uint8_t follows;    // a message of the engine ends its sleep
    uint8_t is_due;     // it sleeps until a certain time at most
    uint8_t time_is_up; // that time has come, though what it waits for is still under way

    // How often each can still happen.
    uint8_t words_left;   // of another host
    uint8_t joins_left;   // of another host
    uint8_t losses_left;  // a message that was published does not get into the stream
    uint8_t repeats_left; // ... gets into it twice
    uint8_t hurries_left; // time is up early

    // How much of the outbound log was published by whichever bridge. No right one needs to know.
    uint64_t published_to;

    [[nodiscard]] bool is_still() const { return under_way_count == 0 && next == count; }
    void add_to(Hash& hash) const;
    // Panics if there is no more place.
    void append(std::string_view text);
    void publish(std::string_view text, bool has_bytes);
    // The message that was published first gets into the stream; or does not; or does, and is to
    // come once more, behind the others.
    void take_first();
    void lose_first();
    void repeat_first();
    // The bridge is dead, and its engine with it.
    void disconnect();
};

} // namespace chatserv::model
