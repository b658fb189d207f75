// The files that one kqueue watches, and the knotes on each file.
//
// inotify(7) has one watch for each file, however many descriptors are open on it. So the knotes on
// a file share its watch. The watch asks for every event that any of its knotes needs, and ends
// when the last knote leaves.
//
// Linux does not report the removal of an open directory to its own watch, only to the watch of its
// parent. So for a directory with a knote that asks for NOTE_DELETE, the parent is watched too.
//
// Functions that return int return 0 or an errno.
#pragma once

#include "file_changes.h"
#include "inotify.h"
#include "ready_queue.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace kq {

class FileMonitor {
public:
    FileMonitor(KnoteTable& knotes, ReadyQueue& ready) : knotes_(knotes), ready_(ready) {}

    [[nodiscard]] int open() { return inotify_.open(); }
    [[nodiscard]] int descriptor() const { return inotify_.descriptor(); }

    // Puts the knote on the watch of the file of knote.fd, or updates the watch after the knote's
    // notes have changed. Errors as in inotify.h, for the file or its parent; the knote is then on
    // no watch.
    [[nodiscard]] int join(Knote& knote);
    // Does nothing if the knote is on no watch.
    void leave(Knote& knote);
    // Whether knote.fd is still the file that the knote watches.
    [[nodiscard]] bool is_same_file(const Knote& knote) const;

    // Reads all pending inotify events. Knotes with something to report are put into the ready
    // queue. No knote is dropped.
    void read_changes();

private:
    struct Watch {
        std::uint32_t first = Knote::no_index; // the first knote on the watch
        std::uint32_t children = 0;            // watched subdirectories that need this watch
        int parent = Knote::no_watch;          // the watch that reports this directory's removal
        std::uint32_t interest = 0;            // IN_* that inotify was asked for
        bool touched = false;                  // in touched_
        FileState seen;
        FileChanges changes; // since `seen`
    };

    [[nodiscard]] int watch_parent(Watch& child, int fd);
    void leave_parent(Watch& child);
    void end_if_unused(int number);
    [[nodiscard]] std::uint32_t interest_of(const Watch& watch);
    [[nodiscard]] bool removal_wanted(const Watch& watch);
    // Calls f(Knote&) for each knote of a watch. f may take that knote off the watch.
    template <class F>
    void for_each_knote(const Watch& watch, F f);

    void note(const inotify_event& event, bool named);
    void touch(int number, Watch& watch);
    void spread_removals();
    void pass_on(int number);
    void pass_to_knote(Knote& knote, const Notes& notes);
    void forget(int number);

    KnoteTable& knotes_;
    ReadyQueue& ready_;
    Inotify inotify_;
    std::unordered_map<int, Watch> watches_;
    std::vector<int> touched_; // watches with changes not yet passed to their knotes
    bool removals_to_spread_ = false;
};

} // namespace kq
