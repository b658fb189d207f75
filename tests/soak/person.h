// One who takes part in a scene of a soak: a client, or a source, which is there in every scene.
#pragma once

#include "tests/harness/client.h"
#include "tests/oracle/tally.h"
#include "tests/oracle/transcript.h"
#include "tests/soak/client_history.h"
#include "tests/soak/soak_doors.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace chatserv::test {

struct Person {
    enum class Part { resident, source, visitor, stalled, trickling };
    enum class LeaveBy { none, half_close, close, reset };

    Part part = Part::visitor;
    Door door = Door::talk;
    std::shared_ptr<Client> client{}; // null: the file that a source follows
    std::shared_ptr<const Stay> stay{};
    Session session{};
    Tally tally{};
    std::uint64_t queued_bytes = 0; // of its stream in this scene
    std::uint64_t sent_before = 0;  // in earlier scenes
    bool slow = false;              // or has been: the server may disconnect it for that
    bool joined = false;
    bool gone = false; // for this end
    LeaveBy leaves = LeaveBy::none;

    // A client that comes to this door; `sender`: whether it has a stream of its own, if it can be
    // heard there at all.
    Person(Part part, Door door, std::shared_ptr<Client> client, std::string name);
    // A source, at the beginning of a scene.
    explicit Person(const StandingSource& source);

    [[nodiscard]] bool is_standing() const {
        return part == Part::resident || part == Part::source;
    }
    [[nodiscard]] bool ended() const { return client && client->ended(); }
    [[nodiscard]] bool talks() const {
        return session.sender && joined && leaves == LeaveBy::none && !ended();
    }
    [[nodiscard]] bool is_ready_to_speak() const {
        return talks() && (!client || client->is_sent());
    }
    [[nodiscard]] std::uint64_t sent_bytes() const {
        return client ? client->sent_bytes() - sent_before : queued_bytes;
    }
    // Of the conversation, in this scene.
    [[nodiscard]] std::string received() const;
    // Takes what has come. Returns whether it has what a reader that resumes is told first.
    bool take_received();
    // For people: who it is and how it stands.
    [[nodiscard]] std::string text() const;
    // How it may leave so that the server notices by itself: the end of file of one that only
    // listens is not its end.
    [[nodiscard]] LeaveBy polite_leave() const;

private:
    std::size_t behind_answer_ = 0;
};

} // namespace chatserv::test
