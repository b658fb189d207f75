#include "tests/model/kernel.h"

#include "shared/system/kernel_account.h"
#include "shared/system/panic.h"
#include "tests/model/simulator.h"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>

namespace chatserv::model {

namespace {

uint32_t events_of(const State& state, uint32_t entry) {
    const KernelState& kernel = state.kernel;
    return (kernel.rung[entry] != 0 ? event_rung : 0) |
           (kernel.messages[entry] != kernel.sent[entry] ? event_readable : 0);
}

bool awake(const State& state, size_t process) {
    return events_of(state, state.processes[process].entry) != 0;
}

template <auto Member>
bool any(const State& state, size_t) {
    return std::any_of((state.kernel.*Member).begin(), (state.kernel.*Member).end(),
        [](uint8_t flag) { return flag != 0; });
}

// Takes the first flag that is set, and says whose it was.
uint32_t take_first(std::array<uint8_t, entries>& flags) {
    const auto first = std::find(flags.begin(), flags.end(), 1);
    invariant(first != flags.end(), "a simulated call returned without a reason");
    *first = 0;
    return static_cast<uint32_t>(first - flags.begin());
}

uint32_t entry_of(int descriptor) {
    const uint32_t entry = static_cast<uint32_t>(descriptor) & 0xffffff;
    invariant(entry < entries && active() != nullptr, "a system call on a real descriptor");
    return entry;
}

KernelState& called(const char* what) {
    active()->call(what);
    return active()->state().kernel;
}

KernelState& called_alone(const char* what) {
    active()->call_alone(what);
    return active()->state().kernel;
}

} // namespace

uint32_t Kernel::events(uint32_t entry, bool may_sleep) const {
    simulator_->call(may_sleep ? "sleeps until there is an event" : "takes what events there are",
        may_sleep ? awake : nullptr);
    const uint32_t events = events_of(simulator_->state(), entry);
    simulator_->note(events);
    return events;
}

uint32_t Kernel::reap() const {
    simulator_->call("reaps", any<&KernelState::died>);
    const uint32_t entry = take_first(simulator_->state().kernel.died);
    simulator_->note(entry);
    return entry;
}

void Kernel::give(uint32_t entry) const {
    simulator_->call("gives the entry to a spare");
    simulator_->state().kernel.given[entry] = 1;
}

uint32_t Kernel::take() const {
    simulator_->call("takes an entry", any<&KernelState::given>);
    const uint32_t entry = take_first(simulator_->state().kernel.given);
    simulator_->set_entry(entry);
    simulator_->note(entry);
    return entry;
}

uint64_t Kernel::consumed(uint32_t entry) const {
    simulator_->call_alone("asks how much was read");
    const uint64_t bytes = simulator_->state().kernel.sent[entry] * message_bytes;
    simulator_->note(bytes);
    return bytes;
}

uint64_t Kernel::written(uint32_t entry) const {
    simulator_->call_alone("asks how much was written");
    const uint64_t bytes = simulator_->state().kernel.written[entry];
    simulator_->note(bytes);
    return bytes;
}

} // namespace chatserv::model

namespace chatserv {

// Declared in shared/system/kernel_account.h: this kernel counts without end.
const uint64_t byte_count_mask = ~0ULL;

} // namespace chatserv

// The linker leads the product's calls here (--wrap).
extern "C" {
ssize_t __wrap_read(int descriptor, void* bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void* bytes, size_t size);
ssize_t __wrap_recv(int descriptor, void* bytes, size_t size, int flags);
ssize_t __wrap_send(int descriptor, const void* bytes, size_t size, int flags);
ssize_t __wrap_sendmsg(int descriptor, const msghdr* message, int flags);
}

using chatserv::model::active;
using chatserv::model::called;
using chatserv::model::called_alone;
using chatserv::model::entry_of;

// A doorbell's, which is emptied.
ssize_t __wrap_read(int descriptor, void* bytes, size_t size) {
    const uint32_t entry = entry_of(descriptor);
    const uint8_t rung = std::exchange(called("empties its pipe").rung[entry], 0);
    std::memset(bytes, rung, std::min<size_t>(size, rung));
    return rung != 0 ? 1 : -1;
}

// A doorbell's, which is rung.
ssize_t __wrap_write(int descriptor, const void*, size_t size) {
    const uint32_t entry = entry_of(descriptor);
    called(entry == 0 ? "rings A" : entry == 1 ? "rings B" : "rings R").rung[entry] = 1;
    return static_cast<ssize_t>(size);
}

// One message of a client's.
ssize_t __wrap_recv(int descriptor, void* bytes, size_t size, int) {
    const uint32_t entry = entry_of(descriptor);
    chatserv::model::KernelState& kernel = called_alone("reads from its client");
    const auto text = chatserv::model::message(entry, kernel.sent[entry]);
    chatserv::invariant(size >= text.size(), "a message is read in pieces");
    std::memcpy(bytes, text.data(), text.size());
    active()->call_wrote();
    ++kernel.sent[entry];
    return static_cast<ssize_t>(text.size());
}

// To a client, which gets as much as its socket takes.
ssize_t __wrap_sendmsg(int descriptor, const msghdr* message, int) {
    const uint32_t entry = entry_of(descriptor);
    chatserv::model::KernelState& kernel = called_alone("writes to its client");
    uint64_t left = kernel.write_limit;
    for (size_t i = 0; i < message->msg_iovlen; ++i) {
        const iovec& piece = message->msg_iov[i];
        const auto* const text = static_cast<const char*>(piece.iov_base);
        const auto size = static_cast<uint32_t>(std::min<uint64_t>(left, piece.iov_len));
        for (uint64_t k = kernel.written[entry] < kernel.base ? kernel.base - kernel.written[entry]
                                                              : 0;
             k < size; ++k)
            kernel.received[entry].at(kernel.written[entry] + k - kernel.base) = text[k];
        kernel.written[entry] += size;
        left -= size;
    }
    active()->note(kernel.write_limit - left);
    return static_cast<ssize_t>(kernel.write_limit - left);
}

ssize_t __wrap_send(int descriptor, const void* bytes, size_t size, int flags) {
    iovec piece{const_cast<void*>(bytes), size};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    return __wrap_sendmsg(descriptor, &message, flags);
}
