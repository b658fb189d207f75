#include "tests/model/kernel.h"

namespace chatserv::model {

void ChannelState::lose_orders() {
    entry = 0;
    asked = 0;
    coming = {};
}

void KernelState::bury(uint32_t process, bool is_master) {
    if (is_master) {
        exit_watched = {};
        return;
    }
    for (ConnectionState& connection : connected)
        if (connection.watched == process + 1)
            connection.watched = 0;
    channels[process].lose_orders();
    channels[process].offered = 0;
}

} // namespace chatserv::model
