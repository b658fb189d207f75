// The overview: the answers to `status` and `users`, which show the whole server and each user.
//
// All of it is read from the ledger and the segment at that moment, and nothing is kept: a master
// that has just begun shows the same. The numbers of clients are the word of their workers and are
// shown as they are; the master does not rely on them.
#pragma once

#include "master/control/control_subjects.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace chatserv {

// So many users are in one answer: it is short enough that no other event waits for it long.
inline constexpr uint32_t users_in_answer_max = 200;

class Overview {
public:
    explicit Overview(ControlSubjects subjects) : subjects_(std::move(subjects)) {}

    // Each returns a JSON object; docs/control.md lists the members.
    [[nodiscard]] std::string status() const;
    // The first users from this slot on.
    [[nodiscard]] std::string users(uint32_t from) const;

private:
    // What a look at every client finds.
    struct Sums {
        uint64_t in = 0;
        uint64_t out = 0;
        uint64_t held = 0;                  // bytes of the log that a client has yet to pass
        std::vector<uint32_t> slowest = {}; // slots of the clients with the largest backlogs
    };
    [[nodiscard]] Sums look_at_all(uint64_t head) const;
    [[nodiscard]] nlohmann::ordered_json user(uint32_t slot, uint64_t head) const;
    [[nodiscard]] nlohmann::ordered_json name_of_user(ClientId client, const UserSlot& user) const;
    [[nodiscard]] nlohmann::ordered_json framing() const;
    [[nodiscard]] nlohmann::ordered_json log(const Sums& sums) const;
    [[nodiscard]] bool senders_wait(bool appender_waits) const;
    [[nodiscard]] nlohmann::ordered_json metrics() const;
    [[nodiscard]] nlohmann::ordered_json room() const;
    [[nodiscard]] nlohmann::ordered_json sources() const;
    [[nodiscard]] nlohmann::ordered_json worker(EntryId entry) const;
    [[nodiscard]] const char* state_of(EntryId entry) const;

    ControlSubjects subjects_;
};

} // namespace chatserv
