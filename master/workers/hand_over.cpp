#include "master/workers/hand_over.h"

#include "shared/segment/in_flight.h"

#include <algorithm>

namespace chatserv {

std::vector<ClientId> clients_to_hand_over(
    EntryId entry, const Segment& segment, const Escrow& escrow) {
    std::vector<ClientId> clients = escrow.all_of(entry);
    const InFlight in_flight = operation_in_flight(segment.worker_table()[index_of(entry)]);
    if (in_flight.operation == Operation::none)
        return clients;
    const auto in_doubt = std::find_if(clients.begin(), clients.end(),
        [&](const ClientId client) { return client.slot == in_flight.slot; });
    if (in_doubt != clients.end())
        std::iter_swap(clients.begin(), in_doubt);
    return clients;
}

} // namespace chatserv
