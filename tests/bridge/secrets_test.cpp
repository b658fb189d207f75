// The bridge with servers that want to know who it is, and that it wants to know. The secrets lie
// in secrets/, and are of use to nobody but these tests.
#include "tests/bridge/nats_cluster.h"
#include "tests/bridge/segment_host.h"

#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace chatserv::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string secret(const std::string& name) {
    const char* const folder = std::getenv("CHATSERV_TEST_SECRETS");
    if (folder == nullptr)
        throw std::runtime_error("CHATSERV_TEST_SECRETS does not say where the secrets are");
    return std::string(folder) + "/" + name;
}

std::string quoted(const std::string& name) {
    return '"' + secret(name) + '"';
}

class SecretsTest : public testing::Test {
protected:
    void start_servers(const std::string& more) { cluster.emplace(loop, 1, more); }
    // `scheme`: of the server's address; it may have a user and password behind it.
    void start_host(const std::string& scheme, nlohmann::json settings = nlohmann::json::object()) {
        std::string url = cluster->urls().front();
        url.replace(0, std::string("nats://").size(), scheme);
        settings["servers"] = {url};
        host.emplace(loop, std::move(settings));
        host->start_bridge();
    }
    void expect_a_room() {
        host->say("hello");
        run([this] { return host->heard() == "hello"; }, "what was said");
    }
    void expect_no_room(const std::string& why) {
        run([this] { return host->log().find("is out of reach") != std::string::npos; },
            "the line that says so");
        EXPECT_THAT(host->log(), HasSubstr(why));
        EXPECT_FALSE(host->has_joined());
    }
    void run(const std::function<bool()>& condition, std::string_view what) {
        run_until(loop, {&*host}, condition, what);
    }

    static std::string tls(const std::string& more = "") {
        return "tls { cert_file: " + quoted("server.pem") + ", key_file: " + quoted("server.key") +
               more + " }";
    }

    Loop loop;
    std::optional<NatsCluster> cluster;
    std::optional<SegmentHost> host;
};

TEST_F(SecretsTest, AUserAndItsPassword) {
    start_servers("authorization { user: bridge, password: swordfish }");
    start_host("nats://bridge:swordfish@");
    expect_a_room();
    EXPECT_THAT(host->log(), Not(HasSubstr("swordfish")));
}

TEST_F(SecretsTest, AWrongPasswordIsNoRoomAndIsNotTold) {
    start_servers("authorization { user: bridge, password: swordfish }");
    start_host("nats://bridge:sardine@");
    expect_no_room("no NATS server is reached");
    EXPECT_THAT(host->log(), HasSubstr("uthorization"));
    EXPECT_THAT(host->log(), Not(HasSubstr("sardine")));
    EXPECT_THAT(host->report().trouble, Not(HasSubstr("sardine")));
}

TEST_F(SecretsTest, CredentialsOfAnOperatorsUser) {
    std::ifstream file(secret("operator.conf"));
    std::stringstream operators;
    operators << file.rdbuf();
    start_servers(operators.str());
    start_host("nats://", {{"credentials", secret("user.creds")}});
    expect_a_room();
}

TEST_F(SecretsTest, AServerOfAKnownAuthority) {
    start_servers(tls());
    start_host("tls://", {{"ca", secret("authority.pem")}});
    expect_a_room();
}

TEST_F(SecretsTest, AServerOfAnUnknownAuthorityIsNoRoom) {
    start_servers(tls());
    start_host("tls://");
    expect_no_room("SSL Error");
}

TEST_F(SecretsTest, AServerThatDoesNotEncryptIsNoRoomIfThatIsWanted) {
    start_servers("");
    start_host("nats://", {{"ca", secret("authority.pem")}});
    expect_no_room("no NATS server is reached");
}

TEST_F(SecretsTest, ACertificateOfTheBridge) {
    start_servers(tls(", verify: true, ca_file: " + quoted("authority.pem")));
    start_host("tls://", {{"ca", secret("authority.pem")}, {"certificate", secret("client.pem")},
                             {"key", secret("client.key")}});
    expect_a_room();
}

TEST_F(SecretsTest, NoCertificateIsNoRoomIfTheServersWantOne) {
    start_servers(tls(", verify: true, ca_file: " + quoted("authority.pem")));
    start_host("tls://", {{"ca", secret("authority.pem")}});
    expect_no_room("no NATS server is reached");
}

} // namespace
} // namespace chatserv::test
