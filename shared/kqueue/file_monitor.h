// The files that one kqueue watches, and the knotes that are on them.
//
// inotify(7) has one watch for each file, whatever number of descriptors are open on it. So the
// knotes on a file share its watch, which asks for all that any of them needs, and which goes when
// the last of them leaves.
//
// Linux does not tell a directory that is open of its own removal, only its parent. A directory
// whose removal is of interest therefore has its parent watched too.
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

    // Has the knote told of what its filter asks for in the file of knote.fd, or changes what it is
    // told of. Errors as in inotify.h, of the file or of its parent; then it is on no watch.
    [[nodiscard]] int join(Knote& knote);
    // Does nothing if the knote is on no watch.
    void leave(Knote& knote);
    // Whether knote.fd is still the file that the knote joined for.
    [[nodiscard]] bool is_same_file(const Knote& knote) const;

    // Takes notice of all that has happened until now. Knotes that have something to tell are put
    // into the ready queue; none is dropped.
    void read_changes();

private:
    struct Watch {
        std::uint32_t first = Knote::no_index; // of the knotes on it
        std::uint32_t children = 0;            // directories whose removal this one tells of
        int parent = Knote::no_watch;          // the watch that tells of this one's removal
        std::uint32_t interest = 0;            // IN_*, as inotify has been told
        bool touched = false;                  // in touched_
        FileState seen;
        FileChanges changes; // since `seen`
    };

    [[nodiscard]] int watch_parent(Watch& child, int fd);
    void leave_parent(Watch& child);
    void end_if_unused(int number);
    [[nodiscard]] std::uint32_t interest_of(const Watch& watch);
    [[nodiscard]] bool removal_wanted(const Watch& watch);
    // Calls f(Knote&) for each knote of a watch; f may take the one it is given off it.
    template <class F>
    void for_each_knote(const Watch& watch, F f);

    void note(const inotify_event& event, bool named);
    void touch(int number, Watch& watch);
    void spread_removals();
    void tell(int number);
    void tell_knote(Knote& knote, const Notes& notes);
    void forget(int number);

    KnoteTable& knotes_;
    ReadyQueue& ready_;
    Inotify inotify_;
    std::unordered_map<int, Watch> watches_;
    std::vector<int> touched_; // watches with changes that nobody has been told of
    bool removals_to_spread_ = false;
};

} // namespace kq
