// kqueue(2) and kevent(2), as called from C. No exception leaves these functions.
#include "quick_wait.h"
#include "registry.h"

#include <cerrno>
#include <fcntl.h>
#include <new>
#include <sys/event.h>

namespace {

int result_of(int returned) {
    if (returned >= 0)
        return returned;
    errno = -returned;
    return -1;
}

// Handles every call that quick_wait() does not. Not inlined, so that kevent() stays short.
[[gnu::noinline]] int general_kevent(kq::Kqueue& kqueue, const struct kevent* changelist,
    int nchanges, struct kevent* eventlist, int nevents, const struct timespec* timeout) {
    if (nchanges < 0 || nevents < 0)
        return result_of(-EINVAL);
    if ((nchanges > 0 && changelist == nullptr) || (nevents > 0 && eventlist == nullptr))
        return result_of(-EFAULT);
    if (nchanges == 0 && nevents == 0)
        return kqueue.owns_number() ? 0 : result_of(-EBADF);
    try {
        const int count = kqueue.kevent(changelist, nchanges, eventlist, nevents, timeout);
        if (count == -EBADF && !kqueue.owns_number())
            kq::forget_kqueue(kqueue.number());
        return result_of(count);
    } catch (const std::bad_alloc&) {
        return result_of(-ENOMEM);
    }
}

} // namespace

extern "C" int kqueue() {
    try {
        return result_of(kq::make_kqueue());
    } catch (const std::bad_alloc&) {
        return result_of(-ENOMEM);
    }
}

extern "C" int kqueuex(unsigned flags) {
    return (flags & ~unsigned{KQUEUE_CLOEXEC}) == 0 ? kqueue() : result_of(-EINVAL);
}

extern "C" int kqueue1(int flags) {
    return (flags & ~O_CLOEXEC) == 0 ? kqueue() : result_of(-EINVAL);
}

extern "C" int kevent(int kq, const struct kevent* changelist, int nchanges,
    struct kevent* eventlist, int nevents, const struct timespec* timeout) {
    kq::Kqueue* kqueue = kq::find_kqueue(kq);
    if (kqueue == nullptr)
        return result_of(-EBADF);
    const bool no_wait = timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
    if (nchanges == 0 && kqueue->may_be_quick(nevents) && eventlist != nullptr &&
        (timeout == nullptr || no_wait)) [[likely]] {
        const int count = kqueue->quick_wait(eventlist, nevents, !no_wait);
        if (count >= 0) [[likely]]
            return count;
        if (count == -EINTR)
            return result_of(count);
    }
    return general_kevent(*kqueue, changelist, nchanges, eventlist, nevents, timeout);
}
