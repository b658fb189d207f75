#include "worker/clients/socket_filters.h"

namespace chatserv {

// Who is not heard ends no line: what it sends is thrown away, piece by piece, until there is none.
bool SocketFilters::tells_when_new(const Client& client) const {
    return telling_ == Telling::when_new && client.is_heard();
}

// A filter that is added anew tells of the bytes that are there.
int SocketFilters::watch(const Client& client) const {
    return tells_when_new(client) ? events_.watch_newly_readable(client.fd.get(), tag_of(client.id))
                                  : events_.watch_readable(client.fd.get(), tag_of(client.id));
}

int SocketFilters::start_reading(const Client& client) const {
    const int error = watch(client);
    if (error == 0 && stopped_reading_)
        events_.pause_readable(client.fd.get(), tag_of(client.id));
    return error;
}

int SocketFilters::await_first_line(const Client& client) const {
    const int error = events_.watch_newly_readable(client.fd.get(), tag_of(client.id));
    if (error == 0 && stopped_reading_)
        events_.pause_readable(client.fd.get(), tag_of(client.id));
    return error;
}

// Deleted first: a filter that is only added again stays edge-triggered on some systems.
int SocketFilters::have_first_line(const Client& client) const {
    end_reading(client);
    return start_reading(client);
}

void SocketFilters::pause_reading(Client& client, Client::PauseReason reason) const {
    const bool was_paused = client.is_paused();
    client.pause_reasons |= reason;
    if (!was_paused && !stopped_reading_)
        events_.pause_readable(client.fd.get(), tag_of(client.id));
}

int SocketFilters::resume_reading(Client& client, Client::PauseReason reason) const {
    client.pause_reasons &= ~static_cast<unsigned>(reason);
    if (client.is_paused() || stopped_reading_)
        return 0;
    return tells_when_new(client) ? watch(client)
                                  : events_.resume_readable(client.fd.get(), tag_of(client.id));
}

int SocketFilters::tell_again(const Client& client) const {
    return client.is_paused() || stopped_reading_ ? 0 : watch(client);
}

void SocketFilters::end_reading(const Client& client) const {
    events_.unwatch_readable(client.fd.get());
}

// Deleted first: a filter that is only added again stays level-triggered on some systems.
int SocketFilters::await_reset(const Client& client) const {
    events_.unwatch_readable(client.fd.get());
    const int error = events_.watch_newly_readable(client.fd.get(), tag_of(client.id));
    if (error == 0 && stopped_reading_)
        events_.pause_readable(client.fd.get(), tag_of(client.id));
    return error;
}

int SocketFilters::read_to_discard(const Client& client) const {
    return events_.watch_readable(client.fd.get(), tag_of(client.id));
}

void SocketFilters::stop_reading(Roster& roster) {
    stopped_reading_ = true;
    roster.for_each([&](const Client& client) {
        if (client.phase == Client::Phase::talking && !client.is_paused())
            events_.pause_readable(client.fd.get(), tag_of(client.id));
    });
}

int SocketFilters::wait_for_write(Client& client, bool anew) const {
    if (client.write_filter == Client::WriteFilter::enabled && !anew)
        return 0;
    client.write_filter = Client::WriteFilter::enabled;
    return events_.watch_newly_writable(client.fd.get(), tag_of(client.id));
}

void SocketFilters::end_waiting_for_write(Client& client) const {
    client.write_filter = Client::WriteFilter::disabled;
    events_.pause_writable(client.fd.get(), tag_of(client.id));
}

void SocketFilters::remove(const Client& client) const {
    if (client.phase == Client::Phase::talking || client.phase == Client::Phase::lingering)
        end_reading(client);
    if (client.write_filter != Client::WriteFilter::none)
        events_.unwatch_writable(client.fd.get());
}

} // namespace chatserv
