// Linux: the filter of system calls that a process gives itself, by libseccomp. What it lists is
// allowed; what becomes of the rest is said when it is made.
#pragma once

#include "shared/system/errors.h"

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <seccomp.h>

namespace chatserv::seccomp {

using Condition = scmp_arg_cmp;

constexpr scmp_datum_t int_bits = 0xffff'ffff; // what the kernel looks at where it takes an int

constexpr Condition is(unsigned argument, scmp_datum_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, int_bits, value & int_bits};
}

constexpr Condition is_null(unsigned argument) {
    return {argument, SCMP_CMP_EQ, 0, 0};
}

constexpr Condition has(unsigned argument, scmp_datum_t bit) {
    return {argument, SCMP_CMP_MASKED_EQ, bit, bit};
}

constexpr Condition lacks(unsigned argument, scmp_datum_t bit) {
    return {argument, SCMP_CMP_MASKED_EQ, bit, 0};
}

inline void check(int returned, const char* call) {
    if (returned < 0)
        throw_error(-returned, call);
}

class SeccompFilter {
public:
    // `otherwise`: what becomes of a call that is not listed.
    explicit SeccompFilter(uint32_t otherwise) : context_(::seccomp_init(otherwise)) {
        if (context_ == nullptr)
            check(-ENOMEM, "seccomp_init");
        // The numbers of another kind of program (32 bits) mean other calls.
        set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        set(SCMP_FLTATR_API_SYSRAWRC, 1); // errors as the kernel names them
        set(SCMP_FLTATR_CTL_OPTIMIZE, 2); // a tree: every call passes through it
    }
    ~SeccompFilter() { ::seccomp_release(context_); }
    SeccompFilter(const SeccompFilter&) = delete;
    SeccompFilter& operator=(const SeccompFilter&) = delete;

    // Under these conditions. A call that this processor does not have is ignored.
    void allow(int call, std::initializer_list<Condition> conditions = {}) {
        check(::seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call,
                  static_cast<unsigned>(conditions.size()), conditions.begin()),
            "seccomp_rule_add");
    }

    void refuse(int call, uint16_t error) {
        check(::seccomp_rule_add(context_, SCMP_ACT_ERRNO(error), call, 0), "seccomp_rule_add");
    }

    // 0 or a negated errno. Sets PR_SET_NO_NEW_PRIVS too.
    [[nodiscard]] int load() { return ::seccomp_load(context_); }

private:
    void set(scmp_filter_attr attribute, uint32_t value) {
        check(::seccomp_attr_set(context_, attribute, value), "seccomp_attr_set");
    }

    scmp_filter_ctx context_;
};

} // namespace chatserv::seccomp
