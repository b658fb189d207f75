// The control: a worker that does not ask the kernel about the client in doubt, but trusts what its
// predecessor had written down. Whoever tests takeovers has to see this one fail.
#include "worker/service.h"

namespace chatserv {

bool Service::client_in_doubt_is_missing() {
    return false;
}

void Service::settle_doubt() {
    if (doubt_.operation != Operation::none)
        settled(0);
}

void Service::settled(uint64_t bytes) {
    doubt_.operation = Operation::none;
    end_operation(*shared_entry_);
    settled_bytes_ = bytes;
}

} // namespace chatserv
