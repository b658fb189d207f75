#include "shared/doorbell.h"

#include "shared/atomic_word.h"

#include <unistd.h>

namespace chatserv {

namespace {

void write_ring(int ringing_end) {
    const char ring = 1;
    // EAGAIN: rung already. Nothing else can fail here that would leave the sleeper unrung.
    [[maybe_unused]] const ssize_t written = ::write(ringing_end, &ring, 1);
}

} // namespace

Doorbells::Doorbells(std::span<WorkerEntry> table, std::vector<int> ringing_ends) :
    table_(table), ringing_ends_(std::move(ringing_ends)) {}

void Doorbells::ring(uint32_t reasons, uint32_t self) const {
    full_fence();
    for (uint32_t entry = 0; entry < table_.size(); ++entry) {
        uint32_t& asleep = table_[entry].asleep;
        // Of several ringers one takes the word, and it alone spends the system call.
        if (entry != self && (load_acquire(asleep) & reasons) != 0 && exchange(asleep, 0) != 0)
            write_ring(ringing_ends_[entry]);
    }
}

void Doorbells::ring_all() const {
    for (const int ringing_end : ringing_ends_)
        write_ring(ringing_end);
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
