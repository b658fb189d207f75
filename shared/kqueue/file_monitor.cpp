#include "file_monitor.h"

#include "filter.h"

#include <cerrno>
#include <utility>

namespace kq {

namespace {

// inotify requires each watch to ask for some event. This event comes when the file itself is gone
// and no descriptor on it is open.
constexpr std::uint32_t least_interest = IN_DELETE_SELF;
constexpr std::uint32_t removal_of_child = IN_DELETE;

std::uint32_t interest_of_knote(const Knote& knote, bool directory) {
    return interest_of_notes(knote.ops == &vnode_ops ? knote.sfflags : NOTE_WRITE, directory);
}

} // namespace

bool FileMonitor::is_same_file(const Knote& knote) const {
    const auto found = watches_.find(knote.watch);
    FileState state;
    return found != watches_.end() && read_state(knote.fd, state) &&
           state.device == found->second.seen.device && state.file == found->second.seen.file;
}

int FileMonitor::join(Knote& knote) {
    FileState state;
    if (!read_state(knote.fd, state))
        return errno;
    if (knote.watch == Knote::no_watch) {
        const std::uint32_t interest =
            least_interest | interest_of_knote(knote, state.is_directory());
        int number = Knote::no_watch;
        if (const int error = inotify_.watch(knote.fd, interest | IN_MASK_ADD, number))
            return error;
        Watch& joined = watches_[number];
        // Keeps the older state, so that unreported changes are still found for the knotes that
        // joined earlier.
        if (joined.first == Knote::no_index)
            (void)read_state(knote.fd, joined.seen);
        else
            joined.seen.modified = state.modified;
        joined.interest |= interest;
        knote.watch = number;
        knote.next_on_watch = std::exchange(joined.first, knote.index);
    }
    Watch& joined = watches_.at(knote.watch);
    int error = 0;
    if (const std::uint32_t interest = interest_of(joined); interest != joined.interest) {
        int number = Knote::no_watch;
        error = inotify_.watch(knote.fd, interest, number);
        joined.interest = interest;
    }
    if (!removal_wanted(joined))
        leave_parent(joined);
    else if (error == 0 && joined.parent == Knote::no_watch)
        error = watch_parent(joined, knote.fd);
    if (error != 0)
        leave(knote);
    return error;
}

void FileMonitor::leave(Knote& knote) {
    if (knote.watch == Knote::no_watch)
        return;
    Watch& left = watches_.at(knote.watch);
    const bool alone = left.first == knote.index && knote.next_on_watch == Knote::no_index;
    const bool same_file = !alone && is_same_file(knote);
    const int number = std::exchange(knote.watch, Knote::no_watch);
    std::uint32_t* place = &left.first;
    while (*place != knote.index)
        place = &knotes_.at(*place).next_on_watch;
    *place = knote.next_on_watch;

    if (!removal_wanted(left))
        leave_parent(left);
    const std::uint32_t interest = interest_of(left);
    int same_number = Knote::no_watch;
    // If the descriptor has been closed, the file cannot be named any more. Its watch then keeps
    // asking for more events than needed.
    if (same_file && interest != left.interest &&
        inotify_.watch(knote.fd, interest, same_number) == 0)
        left.interest = interest;
    end_if_unused(number);
}

int FileMonitor::watch_parent(Watch& child, int fd) {
    int number = Knote::no_watch;
    if (const int error = inotify_.watch_parent(fd, removal_of_child | IN_MASK_ADD, number))
        return error;
    Watch& parent = watches_[number];
    parent.interest |= removal_of_child;
    if (&parent == &child) // the root directory, which cannot be removed
        return 0;
    ++parent.children;
    child.parent = number;
    return 0;
}

void FileMonitor::leave_parent(Watch& child) {
    if (child.parent == Knote::no_watch)
        return;
    const int number = std::exchange(child.parent, Knote::no_watch);
    --watches_.at(number).children;
    end_if_unused(number);
}

void FileMonitor::end_if_unused(int number) {
    const auto found = watches_.find(number);
    if (found->second.first != Knote::no_index || found->second.children != 0)
        return;
    watches_.erase(found);
    inotify_.end_watch(number);
}

template <class F>
void FileMonitor::for_each_knote(const Watch& watch, F f) {
    for (std::uint32_t index = watch.first; index != Knote::no_index;) {
        Knote& knote = knotes_.at(index);
        index = knote.next_on_watch;
        f(knote);
    }
}

std::uint32_t FileMonitor::interest_of(const Watch& watch) {
    std::uint32_t interest = least_interest;
    if (watch.children > 0)
        interest |= removal_of_child;
    for_each_knote(watch, [&](const Knote& knote) {
        interest |= interest_of_knote(knote, watch.seen.is_directory());
    });
    return interest;
}

bool FileMonitor::removal_wanted(const Watch& watch) {
    bool wanted = false;
    for_each_knote(watch, [&](const Knote& knote) {
        wanted = wanted || (knote.ops == &vnode_ops && (knote.sfflags & NOTE_DELETE));
    });
    return wanted && watch.seen.is_directory();
}

void FileMonitor::read_changes() {
    inotify_.read_events([this](const inotify_event& event, bool named) { note(event, named); });
    spread_removals();
    // pass_on() can touch more files.
    // NOLINTNEXTLINE(modernize-loop-convert)
    for (std::size_t i = 0; i < touched_.size(); ++i)
        pass_on(touched_[i]);
    touched_.clear();
}

void FileMonitor::note(const inotify_event& event, bool named) {
    const std::uint32_t mask = event.mask;
    if (mask & IN_Q_OVERFLOW) {
        for (auto& [each, watch] : watches_) {
            watch.changes.overflow = true;
            touch(each, watch);
        }
        return;
    }
    const auto found = watches_.find(event.wd);
    if (found == watches_.end())
        return; // the last knote has left this watch
    if (mask & IN_IGNORED) {
        forget(event.wd);
        return;
    }
    Watch& watch = found->second;
    // Changes to the contents of a file in the directory are not changes of the directory.
    if (named && !(mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)))
        return;
    touch(event.wd, watch);
    if (named)
        watch.changes.note_entry(mask, event.cookie);
    else
        watch.changes.own |= mask;
    if (watch.children > 0 && watch.changes.child_removed)
        removals_to_spread_ = true;
}

void FileMonitor::touch(int number, Watch& watch) {
    if (watch.touched)
        return;
    touched_.push_back(number);
    watch.touched = true;
}

// The event of a removed subdirectory is not matched to a watch by name: every watched subdirectory
// of that parent is checked.
void FileMonitor::spread_removals() {
    if (!std::exchange(removals_to_spread_, false))
        return;
    for (auto& [number, child] : watches_) {
        const auto parent = watches_.find(child.parent);
        if (parent == watches_.end() || !parent->second.changes.child_removed)
            continue;
        touch(number, child);
    }
}

void FileMonitor::pass_on(int number) {
    const auto found = watches_.find(number);
    if (found == watches_.end())
        return;
    const FileState before = found->second.seen;
    const FileChanges changes = std::exchange(found->second.changes, {});
    found->second.touched = false;
    FileState now;
    Notes notes;
    int fd = -1; // a descriptor that is still open on this file
    for_each_knote(found->second, [&](Knote& knote) {
        FileState state;
        if (!read_state(knote.fd, state) || state.device != before.device ||
            state.file != before.file) {
            leave(knote); // its descriptor was closed; a BSD kernel would have dropped it then
            if (knote.enabled)
                ready_.push(knote);
            return;
        }
        if (fd == -1) {
            fd = knote.fd;
            now = state;
            notes = notes_of(before, now, changes);
        }
        pass_to_knote(knote, notes);
    });
    if (fd == -1)
        return; // the watch may be gone as well
    Watch& told = watches_.at(number);
    told.seen = now;
    if ((changes.own & IN_MOVE_SELF) && told.parent != Knote::no_watch) {
        leave_parent(told);
        (void)watch_parent(told, fd);
        touch(number, told); // the file may have been removed before the new parent was watched
    }
}

void FileMonitor::pass_to_knote(Knote& knote, const Notes& notes) {
    if (knote.ops == &vnode_ops) {
        knote.pending_notes |= notes.asked_for(knote.sfflags);
        if (knote.enabled && knote.pending_notes != 0)
            ready_.push(knote);
    } else if (notes.asked_for(NOTE_WRITE) != 0) {
        if (knote.enabled)
            ready_.push(knote);
        else
            leave(knote); // the filter checks the file again when it is enabled
    }
}

// inotify has ended a watch: the file is gone, so no descriptor can be open on it.
void FileMonitor::forget(int number) {
    Watch& gone = watches_.at(number);
    for_each_knote(gone, [&](Knote& knote) {
        knote.watch = Knote::no_watch;
        if (knote.enabled)
            ready_.push(knote); // its report then finds that the file is gone
    });
    for (auto& [each, child] : watches_) {
        if (child.parent == number)
            child.parent = Knote::no_watch;
    }
    leave_parent(gone);
    watches_.erase(number);
}

} // namespace kq
