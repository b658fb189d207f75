#include "master/clients/header_reading.h"

#include "master/ledger/master_point.h"
#include "master/ledger/noted_address.h"
#include "shared/segment/atomic_word.h"
#include "shared/system/kernel_account.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <sys/socket.h>

namespace chatserv {

namespace {

void note_state(NewcomerRecord& record, HeaderState state) {
    store_release(record.header, static_cast<uint8_t>(state));
}

// False if fewer bytes are there, or the connection is broken.
bool discard(int socket, uint64_t bytes) {
    char unwanted[512];
    while (bytes > 0) {
        const ssize_t got = ::recv(
            socket, unwanted, static_cast<size_t>(std::min<uint64_t>(bytes, sizeof unwanted)), 0);
        if (got > 0)
            bytes -= static_cast<uint64_t>(got);
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

// How much of the header is still to be read; nothing if nobody can tell.
std::optional<uint64_t> left_of(const NewcomerRecord& record) {
    const auto now = record.accounted != 0 ? byte_counts(number_of(record.socket)) : std::nullopt;
    if (!now)
        return std::nullopt;
    const uint64_t read = (now->consumed - record.consumed_base) & byte_count_mask;
    return read <= record.header_bytes ? std::optional(record.header_bytes - read) : std::nullopt;
}

} // namespace

bool take_header(
    NewcomerRecord& record, size_t header_bytes, const Address& client, bool keep_account) {
    const int socket = number_of(record.socket);
    const auto base = keep_account ? byte_counts(socket) : std::nullopt;
    record.accounted = base ? 1 : 0;
    record.consumed_base = base ? base->consumed : 0;
    record.header_bytes = static_cast<uint32_t>(header_bytes);
    record.announced = noted(client);
    note_state(record, HeaderState::taking);
    master_point(MasterPoint::header_noted);
    if (!discard(socket, header_bytes))
        return false;
    master_point(MasterPoint::header_read);
    note_state(record, HeaderState::taken);
    master_point(MasterPoint::header_taken);
    return true;
}

InheritedHeader settle_header(NewcomerRecord& record) {
    switch (static_cast<HeaderState>(record.header)) {
    case HeaderState::expected:
        return InheritedHeader::expected;
    case HeaderState::taken:
        return InheritedHeader::taken;
    case HeaderState::taking:
        break;
    }
    const auto left = left_of(record);
    if (!left || !discard(number_of(record.socket), *left))
        return InheritedHeader::in_doubt;
    master_point(MasterPoint::header_read);
    note_state(record, HeaderState::taken);
    master_point(MasterPoint::header_taken);
    return InheritedHeader::taken;
}

} // namespace chatserv
