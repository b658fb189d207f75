// What the bridge's exit status tells the master. Any other one than these and EX_OK is a fault:
// the bridge is started again.
#pragma once

namespace chatserv {

// The settings cannot be used, whoever reads them. The log has a line that says what to do.
inline constexpr int exit_unusable = 2;
// The room is over on this host: RoomReport::loss says why.
inline constexpr int exit_room_over = 3;

} // namespace chatserv
