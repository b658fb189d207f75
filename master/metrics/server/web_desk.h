// The web desk: what is answered to an HTTP request. cpp-httplib reads the request and writes the
// answer; it sees no socket and starts no thread.
//
//     /           the status page, with its style and its script beside it
//     /metrics    Prometheus's text format (exposition.h)
//     /healthz    200 while this process answers
//     /readyz     200 while the server can take users in, otherwise 503
#pragma once

#include "master/metrics/server/server_view.h"

#include <memory>
#include <string>
#include <string_view>

namespace chatserv {

// Longer ones are answered without being read: no path here is long.
inline constexpr size_t request_line_bytes_max = 2048;

class WebDesk {
public:
    // `view`: borrowed.
    explicit WebDesk(const ServerView& view);
    ~WebDesk();
    WebDesk(const WebDesk&) = delete;
    WebDesk& operator=(const WebDesk&) = delete;

    // The whole answer to a request, after which the connection is to be closed. `line`: the first
    // line of the request, without its end. No answer depends on anything else, so the header
    // fields are not looked at. Throws nothing.
    [[nodiscard]] std::string answer(std::string_view line);
    // The answer to a request whose head is longer than any here may be.
    [[nodiscard]] static std::string too_long();

private:
    class Library;
    std::unique_ptr<Library> library_;
};

} // namespace chatserv
