// The header of a proxy, as whoever connects to a `proxy:` address may send it. However it is cut,
// what it says is known as soon as its end is there, and not before; a client that is announced can
// be announced again.
//
// Input: what the proxy sends.
#include "master/clients/proxy_header.h"
#include "tests/fuzz/input.h"

#include <algorithm>
#include <string>

namespace chatserv::fuzz {

namespace {

using State = ProxyHeader::State;

std::string announcement_of(const Address& client) {
    const std::string text = client.text();
    const size_t colon = text.rfind(':');
    const bool v6 = text.front() == '[';
    const std::string host = v6 ? text.substr(1, colon - 2) : text.substr(0, colon);
    return std::string("PROXY ") + (v6 ? "TCP6 " : "TCP4 ") + host + " " + host + " " +
           text.substr(colon + 1) + " 9999\r\n";
}

void read_header(std::string_view sent) {
    sent = sent.substr(0, proxy_header_bytes_max);
    const ProxyHeader all = parse_proxy_header(sent);
    must(all.state != State::whole || (all.bytes > 0 && all.bytes <= sent.size()),
        "a header is longer than what has come");
    bool judged = false;
    for (size_t length = 0; length <= sent.size(); ++length) {
        const ProxyHeader part = parse_proxy_header(sent.substr(0, length));
        must(!judged || part.state == all.state, "what follows a header changes what it says");
        must(part.state == State::incomplete || part.state == all.state,
            "a header was judged otherwise before its end");
        must(part.state != State::whole || (part.bytes == all.bytes && length >= all.bytes),
            "a header was whole before its end");
        judged = part.state != State::incomplete;
    }
    if (all.state != State::whole || !all.client)
        return;
    must(all.relayed, "a connection of the proxy itself has a client");
    const ProxyHeader again = parse_proxy_header(announcement_of(*all.client));
    must(again.state == State::whole && again.client && again.client->text() == all.client->text(),
        "a client cannot be announced again");
}

} // namespace

} // namespace chatserv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    chatserv::fuzz::read_header({reinterpret_cast<const char*>(data), size});
    return 0;
}
