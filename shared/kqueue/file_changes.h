// What inotify(7) says of a file, put into the words of EVFILT_VNODE.
//
// inotify says that something was written, or that an attribute changed; whether the file grew, and
// whether it has more names or fewer, is found by comparing what fstat(2) says before and after.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <sys/stat.h>

namespace kq {

// What fstat(2) says of a file, as far as it matters.
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

// What has happened to a file since its state was read.
struct FileChanges {
    std::uint32_t own = 0;        // IN_* of the file itself
    bool entries = false;         // in the directory: names made, removed or renamed
    bool subdirectories = false;  // directories made or removed, or moved in or out
    bool passed_border = false;   // names moved in from elsewhere, or out
    bool child_removed = false;   // a subdirectory
    bool overflow = false;        // and whatever else: inotify has lost count
    bool moved_directory = false; // of a rename of which half is known
    std::uint32_t moved_from = 0; // its cookie, 0: none

    // An event about a name in this directory, in the order in which inotify has them.
    void note_entry(std::uint32_t mask, std::uint32_t cookie);
    // There is no other half to come.
    void end_rename();
};

// NOTE_*, as a BSD kernel raises them: a knote that asks for one of a set is told the whole set.
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

// The IN_* that have to be watched for those NOTE_*.
[[nodiscard]] std::uint32_t interest_of_notes(std::uint32_t notes, bool directory);

} // namespace kq
