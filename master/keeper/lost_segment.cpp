#include "master/keeper/lost_segment.h"

#include "master/keeper/keeper_words.h"
#include "shared/segment/memory_fault.h"

#include <csignal>
#include <unistd.h>

namespace chatserv {

namespace {

constexpr int status_of_signal = 128; // plus its number, as shells have it

// For the handler. Written before it is in force.
KeeperWords* words_of_server = nullptr;

} // namespace

void end_server_if_lost(std::span<const char> segment, KeeperWords& words) {
    words_of_server = &words;
    explain_memory_faults(
        segment, [] { note_final(*words_of_server, ::getpid(), status_of_signal + SIGBUS); });
}

} // namespace chatserv
