#include "shared/segment/memory_fault.h"

#include "shared/system/errors.h"
#include "shared/system/handler_line.h"

#include <csignal>
#include <cstdint>
#include <string_view>

namespace chatserv {

namespace {

constexpr std::string_view in_segment =
    "chatserv: SIGBUS: part of the shared memory is gone: another process has cut it off, or the "
    "system had no memory for it; start the server again\n";
constexpr std::string_view elsewhere =
    "chatserv: SIGBUS: memory outside the segment is gone: the program's file was changed while it "
    "ran, or the machine's memory is faulty\n";
constexpr std::string_view not_of_an_access =
    "chatserv: SIGBUS: another process sent it, or the machine's memory is faulty\n";

// Written by explain_memory_faults() before the handler is in force.
uintptr_t segment_begin = 0;
uintptr_t segment_end = 0;
void (*call_if_gone)() = nullptr;

bool is_of_an_access(int code) {
    return code == BUS_ADRALN || code == BUS_ADRERR || code == BUS_OBJERR;
}

// SA_RESETHAND has restored the default action before the handler runs. When the handler returns,
// the faulting instruction runs again and ends the process. A signal that a process sent does not
// come back by itself, so the handler raises it again.
void handle(int signal, siginfo_t* info, void* /*context*/) {
    if (!is_of_an_access(info->si_code)) {
        write_line_from_handler(not_of_an_access);
        ::raise(signal);
        return;
    }
    const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    const bool is_gone = address >= segment_begin && address < segment_end;
    write_line_from_handler(is_gone ? in_segment : elsewhere);
    if (is_gone && call_if_gone != nullptr)
        call_if_gone();
}

} // namespace

void explain_memory_faults(std::span<const char> segment, void (*if_gone)()) {
    segment_begin = reinterpret_cast<uintptr_t>(segment.data());
    segment_end = segment_begin + segment.size();
    call_if_gone = if_gone;
    struct sigaction action {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    if (::sigaction(SIGBUS, &action, nullptr) == -1)
        throw_errno("sigaction");
}

} // namespace chatserv
