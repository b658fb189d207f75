// Listening on a system without IPv6, or without sockets for both address families. A seccomp(2)
// filter in a child takes them away, as systemd's RestrictAddressFamilies= does.
#include "tests/unit/master/clients/listeners_test.h"

#include "shared/system/failure.h"
#include "shared/system/logging.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sysexits.h>
#include <thread>
#include <unistd.h>

namespace chatserv {
namespace {

using testing::ExitedWithCode;

// The macros of seccomp.h for this are C, not C++.
scmp_arg_cmp is(unsigned argument, scmp_datum_t value) {
    return {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

void have_no_ipv6() {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
        std::array{is(0, AF_INET6)}.data());
    if (filter == nullptr || seccomp_load(filter) != 0)
        ::_exit(99);
}

// As on OpenBSD: IPV6_V6ONLY can be turned on, but not off. A filter cannot see the value of the
// option, so the kernel asks a thread (seccomp_unotify(2)), which shares the memory of the caller.
void have_no_socket_of_both_families() {
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add_array(filter, SCMP_ACT_NOTIFY, SCMP_SYS(setsockopt), 2,
        std::array{is(1, IPPROTO_IPV6), is(2, IPV6_V6ONLY)}.data());
    if (filter == nullptr || seccomp_load(filter) != 0)
        ::_exit(99);
    std::thread([fd = seccomp_notify_fd(filter)] {
        seccomp_notif* request = nullptr;
        seccomp_notif_resp* response = nullptr;
        if (seccomp_notify_alloc(&request, &response) != 0)
            ::_exit(98);
        while (seccomp_notify_receive(fd, request) == 0) {
            const bool on = *reinterpret_cast<const int*>(request->data.args[3]) != 0;
            response->id = request->id;
            response->error = on ? 0 : -EINVAL;
            response->flags = on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
            seccomp_notify_respond(fd, response);
            std::memset(request, 0, sizeof *request);
        }
    }).detach();
}

// Writes the addresses of the listen sockets, or the reason for a failure, to standard error, where
// the log goes too.
[[noreturn]] void listen_at(const std::string& text) {
    set_up_logging("master", "info", LogFormat::text);
    try {
        const auto listeners = make_listeners(resolved({text}));
        for (const Listener& listener : listeners)
            std::fprintf(stderr, "at %s\n", listener.text().c_str());
        std::fprintf(stderr, "in all %zu\n", listeners.size());
        ::_exit(0);
    } catch (const Failure& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        ::_exit(failure.exit_status());
    }
}

void listen_without_ipv6(const std::string& text) {
    have_no_ipv6();
    listen_at(text);
}

TEST(ListenersDeathTest, UseIpv4AloneOnAMachineWithoutIpv6) {
    EXPECT_EXIT(listen_without_ipv6("*:0"), ExitedWithCode(0),
        "warning master: not listening on \\[::\\]:0: this machine has no IPv6\n"
        "at 0.0.0.0:[1-9][0-9]*\nin all 1\n");
    EXPECT_EXIT(listen_without_ipv6("[::]:0"), ExitedWithCode(0), "at 0.0.0.0:[0-9]*\nin all 1\n");
    EXPECT_EXIT(listen_without_ipv6("0"), ExitedWithCode(0),
        "warning master: not listening on \\[::1\\]:0: this machine has no IPv6\n"
        "at 127.0.0.1:[1-9][0-9]*\nin all 1\n");
    EXPECT_EXIT(listen_without_ipv6("localhost:0"), ExitedWithCode(0),
        "at 127.0.0.1:[1-9][0-9]*\nin all 1\n");
}

TEST(ListenersDeathTest, RequireAnAddressThatTheUserNamed) {
    EXPECT_EXIT(listen_without_ipv6("[::1]:0"), ExitedWithCode(EX_UNAVAILABLE),
        "cannot listen on \\[::1\\]:0: Address family not supported");
    EXPECT_EXIT(listen_without_ipv6("[::]:0 ipv6only=on"), ExitedWithCode(EX_UNAVAILABLE),
        "cannot listen on \\[::\\]:0");
}

void listen_without_dual_stack(const std::string& text) {
    have_no_socket_of_both_families();
    listen_at(text);
}

TEST(ListenersDeathTest, UseTwoSocketsWhenNoneAcceptsBothFamilies) {
    if (!has_ipv6())
        GTEST_SKIP() << "this machine has no IPv6";
    for (const char* const text : {"*:0", "[::]:0"})
        EXPECT_EXIT(listen_without_dual_stack(text), ExitedWithCode(0),
            "takes two sockets: this system has none for IPv4 and IPv6 at once\n"
            "at \\[::\\]:[1-9][0-9]*, IPv6 alone\nat 0.0.0.0:[1-9][0-9]*\nin all 2\n");
    EXPECT_EXIT(listen_without_dual_stack("[::]:0 ipv6only=on"), ExitedWithCode(0),
        "at \\[::\\]:[1-9][0-9]*, IPv6 alone\nin all 1\n");
}

} // namespace
} // namespace chatserv
