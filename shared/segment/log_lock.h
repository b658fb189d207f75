// A log's lock: one word that holds its owner's entry, so that the master can recognize a dead
// owner and release it (log_writer.h).
#pragma once

#include "shared/segment/layout.h"

namespace chatserv {

// The lock, held by one process. A process that fails to take it goes on with other work.
class LogLock {
public:
    // Tries for a moment, as an append takes microseconds. held() says whether the lock was taken.
    // Panics if the word names an entry that cannot exist, or this entry, which does not hold the
    // lock: no process would ever release it.
    LogLock(LogControl& control, EntryId entry);
    ~LogLock() { release(); }
    LogLock(const LogLock&) = delete;
    LogLock& operator=(const LogLock&) = delete;

    // Whether the lock word names the entry as the owner.
    [[nodiscard]] static bool names(const LogControl& control, EntryId entry);

    [[nodiscard]] bool held() const { return control_ != nullptr; }
    // The caller then wakes those that wait for the lock: Doorbells::ring(wake_on_unlock).
    void release();

private:
    LogControl* control_ = nullptr;
};

} // namespace chatserv
