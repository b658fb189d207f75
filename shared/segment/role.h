// The role of a client: whether it speaks to the others, hears them, or both. The listener that it
// came to decides that (master/config/listen_address.h), and it never changes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chatserv {

enum class Role : uint8_t {
    talk = 0,   // what it sends goes to all others, and what they send goes to it
    listen = 1, // what it sends is read and thrown away; its end of file does not end it
    speak = 2,  // it is sent nothing of the log
    resume = 3, // it listens, from where its first line says (worker/lifecycle/resuming.h)
};
inline constexpr std::array all_roles{Role::talk, Role::listen, Role::speak, Role::resume};
inline constexpr uint8_t roles_end = all_roles.size();

// The word by which people name the role.
[[nodiscard]] constexpr std::string_view name_of(Role role) {
    switch (role) {
    case Role::talk:
        break;
    case Role::listen:
        return "listen";
    case Role::speak:
        return "speak";
    case Role::resume:
        return "resume";
    }
    return "talk";
}

// Nothing for any other word.
[[nodiscard]] constexpr std::optional<Role> role_named(std::string_view name) {
    for (const Role role : all_roles)
        if (name_of(role) == name)
            return role;
    return std::nullopt;
}

// The role that a byte of shared memory stands for. A byte that no process of ours wrote stands for
// `talk`.
[[nodiscard]] constexpr Role role_of(uint8_t byte) {
    return byte < roles_end ? static_cast<Role>(byte) : Role::talk;
}

} // namespace chatserv
