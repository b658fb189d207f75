// Translates what inotify(7) reports about a file into the NOTE_* of EVFILT_VNODE.
//
// inotify reports that a file was written, or that an attribute changed. Comparing fstat(2) before
// and after shows whether the file grew, and whether it gained or lost names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <sys/stat.h>

namespace kq {

// The fields of fstat(2) that are compared.
struct FileState {
    dev_t device = 0;
    ino_t file = 0;
    mode_t mode = 0;
    uid_t owner = 0;
    gid_t group = 0;
    nlink_t links = 0;
    off_t size = 0;
    timespec modified{};

    [[nodiscard]] bool is_directory() const { return S_ISDIR(mode); }
};

// False if the descriptor is closed.
[[nodiscard]] bool read_state(int fd, FileState& state);

// What inotify has reported about a file since its state was read.
struct FileChanges {
    std::uint32_t own = 0;        // IN_* of the file itself
    bool entries = false;         // names in the directory were made, removed or renamed
    bool subdirectories = false;  // subdirectories were made, removed, moved in or moved out
    bool moved_in_or_out = false; // names were moved in from elsewhere, or out
    bool child_removed = false;   // a subdirectory was removed
    bool overflow = false;        // inotify lost events: anything may have happened
    bool moved_directory = false; // the unfinished rename is that of a directory
    std::uint32_t moved_from = 0; // cookie of a rename with only its first half seen; 0: none

    // Takes an event about a name in this directory. Call it in the order of inotify's events.
    void note_entry(std::uint32_t mask, std::uint32_t cookie);
    // Call it when no second half of a rename can follow.
    void end_rename();
};

// NOTE_* in sets, as a BSD kernel raises them. A knote that asks for one note of a set gets the
// whole set.
struct Notes {
    std::array<std::uint32_t, 10> sets{};
    std::size_t count = 0;

    void add(std::uint32_t set) { sets[count++] = set; }
    [[nodiscard]] std::uint32_t asked_for(std::uint32_t asked) const {
        std::uint32_t told = 0;
        for (std::size_t i = 0; i < count; ++i)
            told |= sets[i] & asked ? sets[i] : 0U;
        return told;
    }
};

[[nodiscard]] Notes notes_of(const FileState& before, const FileState& after, FileChanges changes);

// The IN_* to watch for in order to detect `notes`.
[[nodiscard]] std::uint32_t interest_of_notes(std::uint32_t notes, bool directory);

} // namespace kq
