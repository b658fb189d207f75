#include "shared/ipc/doorbell.h"

#include "shared/segment/atomic_word.h"

#include <unistd.h>

namespace chatserv {

namespace {

void write_ring(const FdPair& pipe) {
    const char ring = 1;
    // EAGAIN: the doorbell has been rung already. No other error leaves the sleeper unrung.
    [[maybe_unused]] const ssize_t written = ::write(pipe.second.get(), &ring, 1);
}

} // namespace

void Doorbells::ring(uint32_t reasons, EntryId self) const {
    full_fence();
    for (uint32_t index = 0; index < table_.size(); ++index) {
        uint32_t& asleep = table_[index].asleep;
        // Only one of several ringers gets the word, and only that one makes the system call.
        if (EntryId{index} != self && (load_acquire(asleep) & reasons) != 0 &&
            exchange(asleep, 0) != 0)
            write_ring(pipes_[index]);
    }
}

void Doorbells::ring_all() const {
    for (const FdPair& pipe : pipes_)
        write_ring(pipe);
}

void Doorbell::announce_sleep(uint32_t reasons) const {
    store_release(entry_->asleep, reasons);
    full_fence();
}

void Doorbell::wake_up() const {
    store_release(entry_->asleep, 0);
}

void Doorbell::empty_pipe() const {
    char rings[512];
    while (::read(listening_end_, rings, sizeof rings) == sizeof rings) {
    }
}

} // namespace chatserv
