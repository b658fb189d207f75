#include "master/metrics/server/web_desk.h"

#include "master/metrics/server/exposition.h"
#include "master/metrics/server/figures.h"
#include "master/metrics/server/status_page.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <httplib.h>

namespace chatserv {

namespace {

// A page that another site made can do nothing here, and this page loads nothing from elsewhere.
const httplib::Headers always{
    {"Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
};

constexpr const char* plain = "text/plain; charset=utf-8";

// The request as a stream of bytes, and the answer.
class Conversation : public httplib::Stream {
public:
    explicit Conversation(std::string request) : request_(std::move(request)) {}

    [[nodiscard]] std::string take_answer() { return std::move(answer_); }

    [[nodiscard]] bool is_readable() const override { return true; }
    [[nodiscard]] bool is_writable() const override { return true; }
    ssize_t read(char* to, size_t size) override {
        const size_t count = std::min(size, request_.size() - read_);
        std::memcpy(to, request_.data() + read_, count);
        read_ += count;
        return static_cast<ssize_t>(count);
    }
    ssize_t write(const char* bytes, size_t size) override {
        answer_.append(bytes, size);
        return static_cast<ssize_t>(size);
    }
    void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
    void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
    [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

private:
    std::string request_;
    size_t read_ = 0;
    std::string answer_;
};

void refuse_method(httplib::Response& response) {
    response.status = 405;
    response.set_header("Allow", "GET, HEAD");
    response.set_content("only GET and HEAD are answered\n", plain);
}

} // namespace

// All requests are answered before the library routes them: it would match the path with regular
// expressions, and read a body.
class WebDesk::Library : public httplib::Server {
public:
    explicit Library(const ServerView& view) : view_(view) {
        set_default_headers(always);
        set_pre_routing_handler(
            [this](const httplib::Request& request, httplib::Response& response) {
                if (request.method == "GET" || request.method == "HEAD")
                    answer(request.path, response);
                else
                    refuse_method(response);
                return HandlerResponse::Handled;
            });
    }

    [[nodiscard]] std::string answer_to(std::string request) {
        Conversation conversation(std::move(request));
        bool closed = false;
        (void)process_request(conversation, true, closed, nullptr);
        return conversation.take_answer();
    }

private:
    void answer(const std::string& path, httplib::Response& response) const {
        response.status = 200;
        if (path == "/metrics")
            return response.set_content(exposition_of(look_at(view_)), exposition_type);
        if (path == "/healthz")
            return response.set_content("ok\n", plain);
        if (path == "/readyz")
            return answer_whether_ready(response);
        if (const PageFile* const file = page_file(path))
            return response.set_content(file->bytes.data(), file->bytes.size(), file->type);
        response.status = 404;
        response.set_content("there is /, /metrics, /healthz and /readyz\n", plain);
    }

    void answer_whether_ready(httplib::Response& response) const {
        const bool ready = look_at(view_).is_ready;
        response.status = ready ? 200 : 503;
        response.set_content(ready ? "ready\n" : "not ready\n", plain);
    }

    const ServerView& view_;
};

WebDesk::WebDesk(const ServerView& view) : library_(std::make_unique<Library>(view)) {}

WebDesk::~WebDesk() = default;

std::string WebDesk::answer(std::string_view line) {
    try {
        if (line.size() <= request_line_bytes_max) {
            std::string answer = library_->answer_to(std::string(line) + "\r\n\r\n");
            if (!answer.empty())
                return answer;
        }
    } catch (const std::exception&) {
        // Of the request, or for lack of memory: this one is not answered with more than this.
    }
    return "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
}

std::string WebDesk::too_long() {
    return "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n"
           "Content-Length: 0\r\n\r\n";
}

} // namespace chatserv
