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

uint32_t slot_of(uint8_t client) {
    return client == 0 ? no_client : client - 1U;
}
uint8_t client_of(uint32_t slot) {
    return slot == no_client ? 0 : static_cast<uint8_t>(slot + 1);
}

uint32_t events_of(const State& state, uint32_t entry) {
    const KernelState& kernel = state.kernel;
    const uint32_t slot = slot_of(kernel.watched[entry]);
    const bool readable = slot != no_client && kernel.messages[slot] != kernel.sent[slot];
    return (kernel.rung[entry] != 0 ? event_rung : 0) | (readable ? event_readable : 0) |
           (kernel.asked[entry] != 0 ? event_asked : 0) |
           (kernel.coming[entry] != 0 ? event_client : 0);
}

bool awake(const State& state, size_t process) {
    return events_of(state, state.processes[process].entry) != 0;
}

template <auto Member>
bool any(const State& state, size_t) {
    return std::any_of((state.kernel.*Member).begin(), (state.kernel.*Member).end(),
        [](uint8_t flag) { return flag != 0; });
}

bool any_news(const State& state, size_t process) {
    return any<&KernelState::died>(state, process) || any<&KernelState::told>(state, process);
}

// The first entry that is set.
uint32_t first_of(const std::array<uint8_t, entries>& flags) {
    const auto first =
        std::find_if(flags.begin(), flags.end(), [](uint8_t flag) { return flag != 0; });
    invariant(first != flags.end(), "a simulated call returned without a reason");
    return static_cast<uint32_t>(first - flags.begin());
}

uint32_t take_first(std::array<uint8_t, entries>& flags) {
    const uint32_t entry = first_of(flags);
    flags[entry] = 0;
    return entry;
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

void KernelState::bury(uint32_t entry) {
    watched[entry] = 0;
    asked[entry] = 0;
    coming[entry] = 0;
    died[entry] = 1;
}

uint32_t Kernel::events(uint32_t entry, bool may_sleep) const {
    simulator_->call(may_sleep ? "sleeps until there is an event" : "takes what events there are",
        may_sleep ? awake : nullptr);
    const uint32_t events = events_of(simulator_->state(), entry);
    simulator_->state().kernel.asked[entry] = 0;
    simulator_->note(events);
    return events;
}

uint32_t Kernel::receive_client(uint32_t entry) const {
    const uint32_t slot = slot_of(std::exchange(simulator_->state().kernel.coming[entry], 0));
    simulator_->note(slot);
    return slot;
}

void Kernel::watch(uint32_t entry, uint32_t slot) const {
    simulator_->call_alone("changes its filters");
    simulator_->state().kernel.watched[entry] = client_of(slot);
}

void Kernel::tell(uint32_t entry, uint32_t slot) const {
    simulator_->call("tells that it has let its client go");
    simulator_->state().kernel.told[entry] = client_of(slot);
}

Kernel::News Kernel::wait_for_news(bool last_words_first) const {
    simulator_->call("waits for news", any_news);
    KernelState& kernel = simulator_->state().kernel;
    const bool died = any<&KernelState::died>(simulator_->state(), 0);
    const bool told = any<&KernelState::told>(simulator_->state(), 0);
    News news{};
    if (told && (last_words_first || !died)) {
        news.entry = first_of(kernel.told);
        news.let_go = slot_of(std::exchange(kernel.told[news.entry], 0));
    } else {
        news = {.entry = take_first(kernel.died), .let_go = no_client};
    }
    simulator_->note(news.entry);
    simulator_->note(news.let_go);
    return news;
}

void Kernel::send_client(uint32_t entry, uint32_t slot) const {
    simulator_->call("sends a client");
    KernelState& kernel = simulator_->state().kernel;
    kernel.owner[slot] = static_cast<uint8_t>(entry);
    if (kernel.died[entry] == 0 && kernel.given[entry] == 0)
        kernel.coming[entry] = client_of(slot);
}

void Kernel::ask(uint32_t entry) const {
    simulator_->call("asks for a client");
    KernelState& kernel = simulator_->state().kernel;
    if (kernel.died[entry] == 0)
        kernel.asked[entry] = 1;
}

void Kernel::give(uint32_t entry) const {
    simulator_->call("gives the entry to a spare");
    simulator_->state().kernel.given[entry] = 1;
}

Kernel::Taken Kernel::take() const {
    simulator_->call("takes an entry", any<&KernelState::given>);
    KernelState& kernel = simulator_->state().kernel;
    const uint32_t entry = take_first(kernel.given);
    uint32_t client = no_client;
    for (uint32_t slot = 0; slot < entries; ++slot)
        if (kernel.owner[slot] == entry)
            client = slot;
    simulator_->set_entry(entry);
    simulator_->note(entry);
    simulator_->note(client);
    return {.entry = entry, .slot = client};
}

uint64_t Kernel::consumed(uint32_t slot) const {
    simulator_->call_alone("asks how much was read");
    const uint64_t bytes = simulator_->state().kernel.sent[slot] * message_bytes;
    simulator_->note(bytes);
    return bytes;
}

uint64_t Kernel::written(uint32_t slot) const {
    simulator_->call_alone("asks how much was written");
    const uint64_t bytes = simulator_->state().kernel.written[slot];
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
