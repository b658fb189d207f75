// The two ways of a room's bytes on one host: from the outbound log into the stream, and from the
// stream into the broadcast log. It puts engine, order, publication and doubt together and holds
// nothing that could be lost: a process that takes over begins with the order's state, and reads
// and publishes from there.
#pragma once

#include "bridge/engine/engine.h"
#include "bridge/order/doubt.h"
#include "bridge/order/history.h"
#include "bridge/order/order.h"
#include "bridge/order/publication.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace chatserv {

// A piece of the outbound log.
struct OutboundPiece {
    std::vector<BridgedChunk> chunks{};
    std::string_view bytes{};
};

// The log into which this host's senders are read.
class Outbox {
public:
    Outbox() = default;
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;
    virtual ~Outbox() = default;

    // Offset behind its last byte.
    [[nodiscard]] virtual uint64_t head() const = 0;
    // What begins at `from`, which is below head(): at most bridged_bytes_max bytes and
    // batch_chunks_max chunks. Valid until the next call.
    [[nodiscard]] virtual OutboundPiece read(uint64_t from) = 0;
    // What is below this offset is in the stream and will not be read again.
    virtual void counted(uint64_t to) = 0;
};

// The log from which this host's users are served.
class Inbox {
public:
    Inbox() = default;
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    virtual ~Inbox() = default;

    // Commits what the ruling changes (its verdict is append, begin or pass) in one step: the
    // bytes, if it has any, together with what Order::state() will be. False: the log has no room
    // now, and nothing has changed. `history`: with the host's first join, what goes into its empty
    // log in the same step; a quarter of the log at most.
    [[nodiscard]] virtual bool commit(const Ruling& ruling, std::string_view history) = 0;
};

class Exchange {
public:
    using Time = std::chrono::steady_clock::time_point;

    // A stream that does not exist may be one of which nobody knows yet, while the servers recover.
    static constexpr std::chrono::seconds absent_limit{10};
    // A copy of the stream that ends below what was read may be one that lags behind.
    static constexpr std::chrono::seconds below_limit{10};
    // Between two tries to join, or to learn who else is there.
    static constexpr std::chrono::milliseconds join_pause{600};
    // Between two tries to join while the stream is read up to the first one.
    static constexpr std::chrono::milliseconds join_pause_max{4800};
    static constexpr int deliveries_per_turn = 64;

    struct Settings {
        uint64_t under_way_bytes_max = Publication::under_way_bytes_max;
        // An epoch of more bytes is followed by another one, so that a host which joins later finds
        // a join in what the stream holds (history.h).
        uint64_t epoch_bytes_max = uint64_t{256} * 1024 * 1024;
        HistoryAmount history{}; // of a host that has not joined yet
        uint64_t history_bytes_max = 1;
    };

    Exchange(Engine& engine, Outbox& outbox, Inbox& inbox, Order order, const Settings& settings);

    struct Turn {
        OrderLoss loss = OrderLoss::none; // anything else: the room is over
        bool more = false;                // another turn is to follow at once
        bool no_room = false; // another turn is to follow when the broadcast log has room
    };
    // Reads what has come and publishes what is there. Never waits. To be called when the engine's
    // fd() is readable, when the outbound log has grown, and at due().
    [[nodiscard]] Turn turn(Time now);
    [[nodiscard]] std::optional<Time> due() const;

    // What was done, by this object.
    struct Counts {
        uint64_t appended = 0;        // messages
        uint64_t dropped = 0;         // messages that the filter did not count
        uint64_t published_again = 0; // how often something was

        bool operator==(const Counts&) const = default;
    };
    [[nodiscard]] const Counts& counts() const { return counts_; }

    [[nodiscard]] const Order& order() const { return order_; }
    [[nodiscard]] const Publication& publication() const { return publication_; }
    // Since when what was published, a join too, has not come back. Nothing if nothing is under way
    // or the link does not deliver.
    [[nodiscard]] std::optional<Time> waiting_since() const;

private:
    void begin();
    [[nodiscard]] Turn read(Time now);
    void look_back(const Delivery& delivery, Time now);
    void add_to_epoch(const Ruling& ruling, uint64_t bytes);
    void obey(const Ruling& ruling, Time now);
    void publish(Time now);
    void join(Time now);
    void ask_who_is_there(Time now);
    [[nodiscard]] OrderLoss doubt(Time now);
    [[nodiscard]] bool is_absent(Time now) const;
    [[nodiscard]] bool stays_below(Time now);
    [[nodiscard]] bool say(MessageKind kind);

    Engine& engine_;
    Outbox& outbox_;
    Inbox& inbox_;
    Order order_;
    Publication publication_;
    Doubt doubt_;
    Counts counts_;
    std::optional<Delivery> held_;    // the broadcast log had no room for it
    std::optional<Time> below_since_; // deliveries have been below what was read
    std::optional<History> history_;  // until the host has joined, if one is wanted
    Time read_at_{};                  // when a message was read for it last
    Time joining_at_{};               // when the host last said that it joins
    Time join_at_{};                  // when it will say so again
    uint64_t epoch_bytes_max_;
    uint64_t epoch_bytes_ = 0; // of the epoch, as far as this process has read it
    bool to_begin_epoch_ = false;
    bool to_say_here_ = false;
    // A process that takes over knows no other host, and what its predecessor was to say is lost.
    // Until it reads its own question, it asks again.
    bool to_ask_;
    Time ask_at_{};
};

} // namespace chatserv
