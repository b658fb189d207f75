// What a room needs of the system that gives messages their order: the one interface behind which
// that system stands, so that another one can take its place.
//
// An engine has one stream, in which each message has a number: the first 1, each the next one. It
// may publish a message late, twice or never, and it may miss some when it delivers; order/ sees to
// the rest. It never delivers a message that the stream can still lose, as far as the engine knows.
#pragma once

#include "shared/segment/room_words.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chatserv {

struct Delivery {
    uint64_t number;
    std::string message;
};

struct Link {
    LinkState state = LinkState::connecting;
    std::chrono::steady_clock::time_point since{};
    std::string trouble{}; // why it is not delivering, in the engine's words, or empty
};

// Where a host begins to read that has read nothing yet.
enum class Beginning {
    now,    // with what is published from now on
    oldest, // with the oldest message that the stream holds
};

class Engine {
public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;

    // Hands a message over to be published. Never waits. False: nothing was taken, because the link
    // does not deliver or too much is waiting to be sent.
    [[nodiscard]] virtual bool publish(std::string_view message) = 0;

    // Delivers from there on. The stream is created if there is none, until something of it has
    // been delivered.
    virtual void begin(Beginning beginning) = 0;
    // Delivers from this number on, 1 or more. The first message delivered is the one of that
    // number, or the next one that the stream holds. No stream is created.
    virtual void replay(uint64_t from) = 0;
    // After either of them take() returns nothing any more that was delivered before. When the
    // engine has to begin again by itself, it does so with the last message that it has delivered.

    // The next message, or nothing if none has come. Never waits.
    [[nodiscard]] virtual std::optional<Delivery> take() = 0;

    [[nodiscard]] virtual Link link() const = 0;

    // What an administrator has to know of the servers, a line for the log; each once.
    [[nodiscard]] virtual std::optional<std::string> take_warning() { return std::nullopt; }

    // Readable when there is something to take, when the link has changed since the last look, when
    // there is a warning, and when publish() takes messages again.
    [[nodiscard]] virtual int fd() const = 0;
    // Called when fd() is readable, before take() and link().
    virtual void look() = 0;
};

} // namespace chatserv
