// The knotes that are ready although epoll does not report them: triggered user events, counted
// signals, regular files, files that have changed, expired absolute timers. First in, first out. A
// knote that stays ready goes to the end, so each gets its turn.
//
// The list is doubly linked through the knotes themselves: nothing is allocated, and any knote can
// be removed in constant time.
#pragma once

#include "knote_table.h"

namespace kq {

class ReadyQueue {
public:
    explicit ReadyQueue(KnoteTable& knotes) : knotes_(knotes) {}

    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] Knote& front() { return knotes_.at(head_); }

    void push(Knote& knote) {
        if (knote.queued)
            return;
        knote.queued = true;
        knote.next = KnoteTable::no_index;
        knote.previous = tail_;
        (tail_ == KnoteTable::no_index ? head_ : knotes_.at(tail_).next) = knote.index;
        tail_ = knote.index;
        ++size_;
    }

    void remove(Knote& knote) {
        if (!knote.queued)
            return;
        knote.queued = false;
        (knote.previous == KnoteTable::no_index ? head_ : knotes_.at(knote.previous).next) =
            knote.next;
        (knote.next == KnoteTable::no_index ? tail_ : knotes_.at(knote.next).previous) =
            knote.previous;
        --size_;
    }

private:
    KnoteTable& knotes_;
    std::uint32_t head_ = KnoteTable::no_index;
    std::uint32_t tail_ = KnoteTable::no_index;
    std::size_t size_ = 0;
};

} // namespace kq
