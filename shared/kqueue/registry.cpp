#include "registry.h"

#include "descriptor.h"
#include "signal_monitor.h"

#include <cerrno>
#include <kqueue_shared_table.h>
#include <memory>
#include <pthread.h>
#include <sys/epoll.h>

namespace kq {

namespace {

thread_local const char this_thread = 0; // its address identifies the thread

// Null if the number is beyond the end of the registry.
RegistryEntry* entry_of(int number) {
    const auto index = static_cast<std::size_t>(number);
    if (index / registry_piece >= registry_pieces_max)
        return nullptr;
    std::atomic<RegistryEntry*>& place = registry[index / registry_piece];
    if (place.load(std::memory_order_acquire) == nullptr) {
        auto fresh = std::make_unique<RegistryEntry[]>(registry_piece);
        RegistryEntry* none = nullptr;
        if (place.compare_exchange_strong(none, fresh.get(), std::memory_order_acq_rel))
            fresh.release();
    }
    return &place.load(std::memory_order_acquire)[index % registry_piece];
}

// Calls f(Kqueue&) for each kqueue. f may forget that kqueue.
template <class F>
void for_each_kqueue(bool of_this_thread, F f) {
    for (auto& place : registry) {
        RegistryEntry* piece = place.load(std::memory_order_acquire);
        for (std::size_t i = 0; piece != nullptr && i < registry_piece; ++i) {
            Kqueue* kqueue = piece[i].kqueue.load(std::memory_order_acquire);
            const bool owned = piece[i].thread.load(std::memory_order_relaxed) == &this_thread;
            if (kqueue != nullptr && (owned || !of_this_thread))
                f(*kqueue);
        }
    }
}

// On a BSD, a forked child inherits no kqueue and nothing that the parent's kqueues set up.
void forget_all_in_child() {
    for_each_kqueue(false, [](Kqueue& kqueue) {
        const int number = kqueue.number();
        kqueue.abandon();
        forget_kqueue(number);
    });
    forget_signals_in_child(Inherited::copies);
}

// Frees the kqueues of this thread whose numbers the caller has closed.
void forget_closed() {
    for_each_kqueue(true, [](Kqueue& kqueue) {
        if (!kqueue.owns_number())
            forget_kqueue(kqueue.number());
    });
}

int prepare_for_forks() {
    static const int error = ::pthread_atfork(nullptr, nullptr, forget_all_in_child);
    return error;
}

} // namespace

int make_kqueue() {
    if (const int error = prepare_for_forks())
        return -error;
    forget_closed();
    Descriptor number(::epoll_create1(EPOLL_CLOEXEC));
    if (!number)
        return -errno;
    RegistryEntry* entry = entry_of(number.get());
    if (entry == nullptr)
        return -EMFILE;
    forget_kqueue(number.get()); // another thread may have closed a kqueue of this number
    auto kqueue = std::make_unique<Kqueue>(number.get());
    if (const int error = kqueue->open())
        return -error;
    entry->thread.store(&this_thread, std::memory_order_relaxed);
    entry->kqueue.store(kqueue.release(), std::memory_order_release);
    return number.release();
}

void forget_kqueue(int number) {
    delete entry_of(number)->kqueue.exchange(nullptr, std::memory_order_acq_rel);
}

void notify_watchers(int number) {
    for_each_kqueue(true, [number](Kqueue& kqueue) {
        if (kqueue.number() != number)
            kqueue.watch_renewed(number);
    });
}

} // namespace kq

void kqueue_leave_to_parent() {
    kq::for_each_kqueue(false, [](kq::Kqueue& kqueue) {
        kq::entry_of(kqueue.number())->kqueue.store(nullptr, std::memory_order_release);
    });
    kq::forget_signals_in_child(kq::Inherited::originals);
}
