// A scene in which masters die: it is prepared, played by a master that may die in it, succeeded,
// and brought to its end.
#pragma once

#include "tests/unit/deaths/mortal_master.h"

#include <cerrno>
#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace chatserv::test {

inline constexpr Departure end_of_file{LeaveReason::end_of_file};
inline constexpr Departure idle{LeaveReason::idle};

// Everything up to the end of file.
inline std::string read_to_end(const UniqueFd& socket) {
    std::string text;
    char piece[64];
    while (const ssize_t got = ::read(socket.get(), piece, sizeof piece)) {
        if (got == -1)
            return text + " (" + std::to_string(errno) + ")";
        text.append(piece, static_cast<size_t>(got));
    }
    return text;
}

class Scene {
public:
    Scene(uint32_t slots, uint32_t max_per_address) : master(slots, max_per_address) {}
    virtual ~Scene() = default;

    // Goes through it again and again, until neither master comes to its death any more.
    void play() {
        bool died = true;
        for (uint64_t first = 1; died; ++first) {
            bool successor_died = true;
            for (uint64_t second = 1; successor_died; ++second) {
                SCOPED_TRACE(
                    "deaths at " + std::to_string(first) + " and " + std::to_string(second));
                ++times;
                prepare();
                died = master.live(first, [this] { act(); });
                successor_died = died && master.succeed(second);
                if (successor_died)
                    master.succeed();
                finish(died);
                master.check();
                ASSERT_FALSE(testing::Test::HasFailure());
            }
        }
        EXPECT_GT(times, 1U) << "no master died";
    }

protected:
    virtual void prepare() = 0;
    virtual void act() = 0;
    virtual void finish(bool died) = 0;

    void admit() {
        client = master.connect();
        master.accept();
        master.attach_all();
        id = master.client_of(client).value();
    }
    // The client sends 10 bytes and is sent 7.
    void talk() const {
        UserSlot& slot = master.segment().users[id.slot];
        slot.bytes_read = 10;
        move_cursor(slot, {.bytes_written = 7, .log_offset = cursor_of(slot).log_offset});
    }
    // As many clients as were prepared have talked and gone: each counts once.
    void expect_bytes_of_departed() const {
        EXPECT_EQ(master.ledger().counters()[departed_in_counter], times * 10);
        EXPECT_EQ(master.ledger().counters()[departed_out_counter], times * 7);
    }
    [[nodiscard]] HeldClient* held() { return master.book().escrow().find(id); }
    void let_go() {
        if (held() != nullptr)
            master.book().release_client(id, end_of_file);
    }
    // The peer closes its connection, on which it has read its last line.
    void end_lingering() {
        client.reset();
        while (!master.book().lingering_close().empty())
            for (const EventQueue::Event& event : master.events().wait())
                if (!is_timer(event))
                    master.book().lingering_close().readable(descriptor_of(event));
    }

    MortalMaster master;
    uint64_t times = 0;
    UniqueFd client;
    ClientId id{};
};

template <typename Played>
inline void play() {
    const size_t open = count_open();
    Played().play();
    EXPECT_EQ(count_open(), open);
}

} // namespace chatserv::test
