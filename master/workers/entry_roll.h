// The entry roll: which entries of the worker table are in service, which of them a process serves,
// and which one is to get the next process.
//
// The first entries are in service, as many as --workers says; a reload changes that number. An
// entry that a reload has taken out of service goes on until its clients have moved to the others:
// what its worker has read, and the system call that it has in flight, belong to the entry, so only
// a process that has this entry can settle them. If that worker dies while clients are left, a
// spare takes the entry over for as long as that. Nobody takes over an entry without clients.
#pragma once

#include "shared/segment/layout.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace chatserv {

class EntryRoll {
public:
    // How many clients an entry has.
    using UsersOf = std::function<uint32_t(EntryId)>;

    // `entries`: of the worker table. `workers`: how many of them are in service.
    EntryRoll(uint32_t entries, uint32_t workers, UsersOf users_of) :
        pids_(entries), workers_(std::min(workers, entries)), users_of_(std::move(users_of)) {}

    // So many entries are in service from now on, at most as many as there are.
    void follow(uint32_t workers) { workers_ = std::min(workers, size()); }
    [[nodiscard]] uint32_t workers() const { return workers_; }
    [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(pids_.size()); }
    [[nodiscard]] bool in_service(EntryId entry) const { return index_of(entry) < workers_; }
    // The entry is to have a process.
    [[nodiscard]] bool is_needed(EntryId entry) const {
        return in_service(entry) || users_of_(entry) > 0;
    }
    // It is one of the server's workers: it is to have a process, or it has one that is to end.
    [[nodiscard]] bool is_present(EntryId entry) const {
        return is_served(entry) || is_needed(entry);
    }
    [[nodiscard]] uint32_t present() const;

    // The process that serves the entry; 0: none.
    [[nodiscard]] pid_t pid_of(EntryId entry) const { return pids_[index_of(entry)]; }
    [[nodiscard]] bool is_served(EntryId entry) const { return pid_of(entry) != 0; }
    void give(EntryId entry, pid_t pid) { pids_[index_of(entry)] = pid; }
    void take_back(EntryId entry) { pids_[index_of(entry)] = 0; }

    // The entry that needs a process and has none, and that has the most clients; of several the
    // first. Nothing if every entry has what it needs.
    [[nodiscard]] std::optional<EntryId> most_urgent() const;

private:
    std::vector<pid_t> pids_; // by entry; 0: no process
    uint32_t workers_;
    UsersOf users_of_;
};

} // namespace chatserv
