#include "worker/relay/sender_prefix.h"

#include "shared/segment/atomic_word.h"
#include "shared/system/peer_user.h"

#include <arpa/inet.h>
#include <cstring>
#include <fmt/core.h>
#include <string>
#include <sys/socket.h>

namespace chatserv {

namespace {

// As in the log of the server: "192.0.2.7:4242", "[2001:db8::7]:4242", "unix:pid=77,uid=1000".
std::string address_of(const UserSlot& slot) {
    if (slot.ip_version == 0) {
        PeerProcess process;
        static_assert(sizeof process <= sizeof slot.address);
        std::memcpy(&process, slot.address, sizeof process);
        return text_of(process);
    }
    char host[INET6_ADDRSTRLEN] = "";
    const bool v6 = slot.ip_version == 6;
    (void)::inet_ntop(v6 ? AF_INET6 : AF_INET, slot.address, host, sizeof host);
    return v6 ? fmt::format("[{}]:{}", host, slot.port) : fmt::format("{}:{}", host, slot.port);
}

// Most sources are reached over the loopback: their address would say nothing.
std::string origin_of(const UserSlot& slot) {
    return slot.source == 0 ? address_of(slot) : fmt::format("source {}", slot.source);
}

std::string prefix_from(std::string_view who) {
    return fmt::format("{}: ", who);
}

} // namespace

void SenderPrefix::introduce(Client& client) const {
    client.prefix.clear();
    const bool is_asked = kind_ == Prefix::name && client.slot->source == 0;
    if (kind_ != Prefix::none && !is_asked)
        client.prefix = prefix_from(origin_of(*client.slot));
    if (!is_asked)
        return;
    if (const auto name = names_.in_force(client.id, *client.slot))
        client.prefix = prefix_from(name->empty() ? address_of(*client.slot) : *name);
}

void SenderPrefix::store_name(const Client& client, std::string_view content, size_t bytes) const {
    names_.store(client.id, name_from(content), static_cast<uint32_t>(bytes));
}

// The line is shorter than it was stored if recv(2) took less of it, as it does where urgent data
// begins. The total comes last: it puts the name in force.
void SenderPrefix::take_name(Client& client, uint64_t bytes) const {
    names_.set_line_bytes(client.id, static_cast<uint32_t>(bytes));
    store_release(client.slot->bytes_read, load_acquire(client.slot->bytes_read) + bytes);
    introduce(client);
}

uint64_t SenderPrefix::name_bytes_at(const Client& client, uint64_t bytes) const {
    return kind_ == Prefix::name && names_.line_bytes(client.id) == bytes ? bytes : 0;
}

bool SenderPrefix::settle_name(Client& client, uint64_t bytes) const {
    if (bytes > names_.line_bytes(client.id))
        return false;
    if (bytes > 0)
        take_name(client, bytes);
    return true;
}

} // namespace chatserv
