#include "master/workers/standing_orders.h"

namespace chatserv {

void StandingOrders::give(MessageType order) {
    orders_.push_back(order);
    for (uint32_t index = 0; index < stopped_reading_.size(); ++index)
        if (WorkerProcess* const process = pool_.process_of(EntryId{index});
            process != nullptr && !process->awaits_hello()) {
            process->channel().queue(order);
            pool_.send(*process);
        }
}

void StandingOrders::queue_for(WorkerProcess& process) const {
    for (const MessageType order : orders_)
        process.channel().queue(order);
}

bool StandingOrders::all_stopped_reading() const {
    for (uint32_t index = 0; index < stopped_reading_.size(); ++index) {
        const EntryId entry{index};
        const bool has_work = pool_.is_served(entry) || escrow_.clients_of(entry) > 0;
        if (has_work && !stopped_reading_[index])
            return false;
    }
    return true;
}

} // namespace chatserv
