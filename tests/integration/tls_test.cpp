// Chat behind TLS, as docs/recipes.md says: openssl s_client connects to stunnel, and stunnel to
// the server.
#include "tests/integration/stats_query.h"

#include <fstream>

namespace chatserv::test {
namespace {

constexpr const char* second_address = "127.0.0.2";

class TlsTest : public StatsServerTest {
protected:
    void SetUp() override {
        for (const char* program : {"stunnel", "openssl"})
            if (!is_installed(program))
                GTEST_SKIP() << program << " is not installed";
        if (!has_address(second_address))
            GTEST_SKIP() << "this machine has no " << second_address;
    }

    [[nodiscard]] std::string in(const std::string& name) const {
        return (folder_.path() / name).string();
    }

    void start_stunnel() {
        const Finished made =
            run(loop_, {{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                           "/CN=chat", "-keyout", in("key.pem"), "-out", in("cert.pem")}});
        ASSERT_EQ(made.status, 0) << made.errors;
        std::ofstream(in("stunnel.conf"))
            << "foreground = yes\npid =\ndebug = info\n[chat]\n"
            << "accept = 127.0.0.1:0\nconnect = " << server_->endpoint(1).text()
            << "\nprotocol = proxy\n"
            << "cert = " << in("cert.pem") << "\nkey = " << in("key.pem") << "\n";
        stunnel_ = std::make_unique<Process>(loop_, Command{{"stunnel", in("stunnel.conf")}});
        const std::string bound = "bound to 127.0.0.1:";
        loop_.wait_until(
            [&] {
                const std::string& said = stunnel_->errors().text();
                const std::size_t at = said.find(bound);
                return at != std::string::npos && said.find('\n', at) != std::string::npos;
            },
            "stunnel listens");
        const std::string& said = stunnel_->errors().text();
        const std::size_t port = said.find(bound) + bound.size();
        address_ = "127.0.0.1:" + said.substr(port, said.find('\n', port) - port);
    }

    [[nodiscard]] std::unique_ptr<Process> new_user() {
        return std::make_unique<Process>(
            loop_, Command{{"openssl", "s_client", "-quiet", "-connect", address_, "-bind",
                       std::string(second_address) + ":0"}});
    }

    std::string address_; // of stunnel
    std::unique_ptr<Process> stunnel_;
};

TEST_F(TlsTest, UsersTalkAndHaveTheirOwnAddresses) {
    start_on({"127.0.0.1:0", "proxy:127.0.0.1:0"},
        {"--proxy-trust", "127.0.0.1", "--max-per-address", "2", "--control", socket()});
    start_stunnel();
    const auto here = join();
    const auto one = new_user();
    server_->wait_for_line("joined from " + std::string(second_address) + ":");
    const auto two = new_user();
    server_->wait_for_line("joined from " + std::string(second_address) + ":", 2);
    one->type("hello over TLS\n");
    here->wait_for("hello over TLS\n");
    two->wait_for_output("hello over TLS\n");
    EXPECT_EQ(here->received(), "hello over TLS\n");
    here->send("hello\n");
    one->wait_for_output("hello\n");
    const auto three = new_user();
    three->wait_for_output("too many connections from your address!\n");
    server_->wait_for_line("too many from one address: " + std::string(second_address) + ":");
}

} // namespace
} // namespace chatserv::test
