// A keeper and masters in which one thing is wrong that the torture has to notice. The linker leads
// calls here.
//
// CHATSERV_TEST_FAULT names the fault; without it nothing is wrong. In every case a connection
// stays unnoted for longer after accept(2) than it usually does, so that masters die in that
// window.
#include "master/clients/listener.h"
#include "master/inheriting.h"
#include "master/workers/renewal.h"
#include "shared/system/shared_table.h"

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <sys/types.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace chatserv::test {
namespace {

bool has_fault(std::string_view name) {
    const char* const fault = std::getenv("CHATSERV_TEST_FAULT");
    return fault != nullptr && name == fault;
}

} // namespace
} // namespace chatserv::test

using chatserv::test::has_fault;

// NOLINTBEGIN(bugprone-reserved-identifier): the linker wants these names (ld(1), --wrap).

extern "C" int __real__ZNK8chatserv8Listener6acceptEv(const chatserv::Listener* listener);
extern "C" int __wrap__ZNK8chatserv8Listener6acceptEv(const chatserv::Listener* listener) {
    const int socket = __real__ZNK8chatserv8Listener6acceptEv(listener);
    // Where that is the fault itself, long enough that a busy machine does not hide it.
    if (socket != -1)
        std::this_thread::sleep_for(std::chrono::milliseconds(has_fault("blind") ? 20 : 1));
    return socket;
}

// "copied table": the master's descriptors are its own, and the kernel closes them with it.
extern "C" pid_t __real__ZN8chatserv25start_sharing_descriptorsEv();
extern "C" pid_t __wrap__ZN8chatserv25start_sharing_descriptorsEv() {
    return has_fault("copied table") ? ::fork()
                                     : __real__ZN8chatserv25start_sharing_descriptorsEv();
}

// "blind": a connection that is in the table and not noted is not known as a newcomer.
namespace chatserv::test {
std::vector<Newcomer> inherit_really(Preparation& prepared, const Legacy& legacy) __asm__(
    "__real__ZN8chatserv19inherit_descriptorsERNS_11PreparationERKNS_6LegacyE");
std::vector<Newcomer> inherit_or_not(Preparation& prepared, const Legacy& legacy) __asm__(
    "__wrap__ZN8chatserv19inherit_descriptorsERNS_11PreparationERKNS_6LegacyE");

std::vector<Newcomer> inherit_or_not(Preparation& prepared, const Legacy& legacy) {
    std::vector<Newcomer> newcomers = inherit_really(prepared, legacy);
    if (!has_fault("blind"))
        return newcomers;
    for (const Newcomer& newcomer : newcomers)
        ::close(newcomer.socket);
    return {};
}
} // namespace chatserv::test

// "cut off": a worker keeps the channel that has ended with the dead master.
extern "C" void __real__ZN8chatserv7Renewal5renewERNS_13WorkerProcessE(
    chatserv::Renewal* renewal, chatserv::WorkerProcess* process);
extern "C" void __wrap__ZN8chatserv7Renewal5renewERNS_13WorkerProcessE(
    chatserv::Renewal* renewal, chatserv::WorkerProcess* process) {
    if (!has_fault("cut off"))
        __real__ZN8chatserv7Renewal5renewERNS_13WorkerProcessE(renewal, process);
}
// NOLINTEND(bugprone-reserved-identifier)
