#include "shared/segment/log_lock.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/panic.h"

namespace chatserv {

namespace {

constexpr int lock_attempts = 100;
constexpr uint32_t entries_max = workers_max + 1; // the bridge's is behind the workers'

constexpr uint64_t lock_word_of(EntryId owner) {
    return uint64_t{index_of(owner)} + 1;
}

} // namespace

LogLock::LogLock(LogControl& control, EntryId entry) {
    uint64_t owner = 0;
    for (int attempt = 0; attempt < lock_attempts; ++attempt) {
        owner = load_acquire(control.lock);
        if (owner == 0 && replace_if(control.lock, 0, lock_word_of(entry))) {
            control_ = &control;
            return;
        }
    }
    invariant(owner <= entries_max, "the log's lock was held by an entry that there is not");
    invariant(!names(control, entry), "the log's lock named a worker that does not hold it");
}

bool LogLock::names(const LogControl& control, EntryId entry) {
    return load_acquire(control.lock) == lock_word_of(entry);
}

void LogLock::release() {
    if (control_ != nullptr)
        store_release(control_->lock, 0);
    control_ = nullptr;
}

} // namespace chatserv
