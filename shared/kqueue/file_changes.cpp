#include "file_changes.h"

#include <sys/event.h>
#include <sys/inotify.h>

namespace kq {

namespace {

constexpr std::uint32_t entry_changes = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

bool same_attributes(const FileState& before, const FileState& after) {
    return before.mode == after.mode && before.owner == after.owner && before.group == after.group;
}

bool same_time(const timespec& first, const timespec& second) {
    return first.tv_sec == second.tv_sec && first.tv_nsec == second.tv_nsec;
}

bool is_removed(const FileState& before, const FileState& after) {
    return before.links != 0 && after.links == 0;
}

void add_written(Notes& notes, const FileState& before, const FileState& after) {
    notes.add(after.size > before.size ? NOTE_WRITE | NOTE_EXTEND : NOTE_WRITE);
    if (after.size < before.size)
        notes.add(NOTE_ATTRIB); // a BSD kernel reports a truncation this way
}

// Making or removing a name of a file raises IN_ATTRIB too, and inotify merges equal events. So if
// the number of links has changed, NOTE_ATTRIB is added only if another attribute differs.
void add_attributes(Notes& notes, const FileState& before, const FileState& after, bool written) {
    // The link count of a directory counts its subdirectories, until the directory is removed.
    const bool links_changed =
        before.is_directory() ? is_removed(before, after) : before.links != after.links;
    if (links_changed && !before.is_directory()) {
        if (after.links < before.links)
            notes.add(NOTE_DELETE);
        notes.add(NOTE_LINK);
    }
    if (!links_changed || !same_attributes(before, after) ||
        (!written && !same_time(before.modified, after.modified)))
        notes.add(NOTE_ATTRIB);
}

void add_entries(
    Notes& notes, const FileState& before, const FileState& after, const FileChanges& changes) {
    std::uint32_t set = NOTE_WRITE;
    if (changes.moved_in_or_out)
        set |= NOTE_EXTEND;
    if (changes.subdirectories || (before.links != after.links && !is_removed(before, after)))
        set |= NOTE_LINK;
    notes.add(set);
}

// After an overflow: the notes that a comparison proves, and those that may have happened and make
// a program look again.
Notes notes_of_overflow(const FileState& before, const FileState& after) {
    Notes notes;
    notes.add(after.size > before.size ? NOTE_WRITE | NOTE_EXTEND : NOTE_WRITE);
    notes.add(NOTE_ATTRIB);
    notes.add(NOTE_RENAME);
    if (after.links < before.links && (!before.is_directory() || after.links == 0))
        notes.add(NOTE_DELETE);
    if (after.links != before.links || before.is_directory())
        notes.add(NOTE_LINK);
    return notes;
}

} // namespace

// The two halves of a rename have the same cookie. If only one half arrives, the name was moved
// into or out of this directory.
void FileChanges::note_entry(std::uint32_t mask, std::uint32_t cookie) {
    const bool directory = (mask & IN_ISDIR) != 0;
    entries = true;
    if (mask & IN_MOVED_FROM) {
        end_rename();
        moved_from = cookie;
        moved_directory = directory;
        return;
    }
    if (mask & IN_MOVED_TO) {
        if (moved_from == cookie) {
            moved_from = 0;
            return;
        }
        moved_in_or_out = true;
    }
    subdirectories = subdirectories || directory;
    child_removed = child_removed || (directory && (mask & IN_DELETE) != 0);
}

void FileChanges::end_rename() {
    if (moved_from == 0)
        return;
    moved_from = 0;
    moved_in_or_out = true;
    subdirectories = subdirectories || moved_directory;
}

bool read_state(int fd, FileState& state) {
    struct stat status {};
    if (::fstat(fd, &status) == -1)
        return false;
    state = {.device = status.st_dev,
        .file = status.st_ino,
        .mode = status.st_mode,
        .owner = status.st_uid,
        .group = status.st_gid,
        .links = status.st_nlink,
        .size = status.st_size,
        .modified = status.st_mtim};
    return true;
}

Notes notes_of(const FileState& before, const FileState& after, FileChanges changes) {
    changes.end_rename();
    if (changes.overflow)
        return notes_of_overflow(before, after);
    Notes notes;
    if (changes.own & IN_MODIFY)
        add_written(notes, before, after);
    if (changes.entries)
        add_entries(notes, before, after, changes);
    if (changes.own & IN_ATTRIB)
        add_attributes(notes, before, after, (changes.own & IN_MODIFY) != 0);
    // Checked after every event: inotify may report nothing at all about this directory's removal.
    if (before.is_directory() && is_removed(before, after))
        notes.add(NOTE_DELETE);
    if (changes.own & IN_MOVE_SELF)
        notes.add(NOTE_RENAME);
    if (changes.own & IN_OPEN)
        notes.add(NOTE_OPEN);
    if (changes.own & IN_CLOSE_NOWRITE)
        notes.add(NOTE_CLOSE);
    if (changes.own & IN_CLOSE_WRITE)
        notes.add(NOTE_CLOSE_WRITE);
    if (changes.own & IN_ACCESS)
        notes.add(NOTE_READ);
    return notes;
}

std::uint32_t interest_of_notes(std::uint32_t notes, bool directory) {
    std::uint32_t interest = 0;
    if (directory && (notes & (NOTE_WRITE | NOTE_EXTEND | NOTE_LINK)))
        interest |= entry_changes;
    if (!directory && (notes & (NOTE_WRITE | NOTE_EXTEND)))
        interest |= IN_MODIFY;
    if (notes & (NOTE_ATTRIB | NOTE_LINK | NOTE_DELETE))
        interest |= IN_ATTRIB;
    if ((notes & NOTE_ATTRIB) && !directory)
        interest |= IN_MODIFY; // for a truncation, and for a change of the modification time alone
    if (notes & NOTE_RENAME)
        interest |= IN_MOVE_SELF;
    if (notes & NOTE_OPEN)
        interest |= IN_OPEN;
    if (notes & NOTE_CLOSE)
        interest |= IN_CLOSE_NOWRITE;
    if (notes & NOTE_CLOSE_WRITE)
        interest |= IN_CLOSE_WRITE;
    if (notes & NOTE_READ)
        interest |= IN_ACCESS;
    return interest;
}

} // namespace kq
