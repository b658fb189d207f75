#include "worker/clients/socket_filters.h"

namespace chatserv {

int SocketFilters::start_reading(const Client& client) const {
    const uint16_t flags = stopped_reading_ ? EV_ADD | EV_DISABLE : EV_ADD;
    return events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_READ, flags, NOTE_NODATA,
        0, udata_of(client.id));
}

void SocketFilters::pause_reading(Client& client, Client::PauseReason reason) const {
    const bool was_paused = client.is_paused();
    client.pause_reasons |= reason;
    if (was_paused || stopped_reading_)
        return;
    [[maybe_unused]] const int error = events_.change(static_cast<uintptr_t>(client.fd.get()),
        EVFILT_READ, EV_DISABLE, NOTE_NODATA, 0, udata_of(client.id));
}

int SocketFilters::resume_reading(Client& client, Client::PauseReason reason) const {
    client.pause_reasons &= ~static_cast<unsigned>(reason);
    if (client.is_paused() || stopped_reading_)
        return 0;
    return events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_READ, EV_ENABLE,
        NOTE_NODATA, 0, udata_of(client.id));
}

void SocketFilters::end_reading(const Client& client) const {
    [[maybe_unused]] const int gone =
        events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_READ, EV_DELETE);
}

int SocketFilters::read_to_discard(const Client& client) const {
    return events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_READ, EV_ADD | EV_ENABLE,
        NOTE_NODATA, 0, udata_of(client.id));
}

void SocketFilters::stop_reading(Roster& roster) {
    stopped_reading_ = true;
    roster.for_each([&](const Client& client) {
        if (client.phase == Client::Phase::talking && !client.is_paused()) [[maybe_unused]]
            const int error = events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_READ,
                EV_DISABLE, NOTE_NODATA, 0, udata_of(client.id));
    });
}

int SocketFilters::wait_for_write(Client& client, bool anew) const {
    if (client.write_filter == Client::WriteFilter::enabled && !anew)
        return 0;
    client.write_filter = Client::WriteFilter::enabled;
    return events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_WRITE,
        EV_ADD | EV_ENABLE | EV_CLEAR, NOTE_NODATA, 0, udata_of(client.id));
}

void SocketFilters::end_waiting_for_write(Client& client) const {
    client.write_filter = Client::WriteFilter::disabled;
    [[maybe_unused]] const int error = events_.change(static_cast<uintptr_t>(client.fd.get()),
        EVFILT_WRITE, EV_DISABLE, NOTE_NODATA, 0, udata_of(client.id));
}

void SocketFilters::remove(const Client& client) const {
    if (client.phase == Client::Phase::talking || client.phase == Client::Phase::lingering)
        end_reading(client);
    if (client.write_filter != Client::WriteFilter::none) [[maybe_unused]]
        const int gone =
            events_.change(static_cast<uintptr_t>(client.fd.get()), EVFILT_WRITE, EV_DELETE);
}

} // namespace chatserv
