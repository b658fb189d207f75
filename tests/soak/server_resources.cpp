#include "tests/soak/server_resources.h"

#include "tests/harness/process_figures.h"
#include "tests/harness/tcp_table.h"
#include "tests/harness/unix_table.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <sstream>

namespace chatserv::test {

std::string ServerResources::text() const {
    std::ostringstream text;
    text << processes << " processes, " << zombies << " zombies, descriptors: master "
         << descriptors_of_master << ", workers";
    for (const std::size_t descriptors : descriptors_of_workers)
        text << " " << descriptors;
    text << ", connections: " << connections << " and " << local_connections;
    return text.str();
}

bool ServerResources::matches(const ServerResources& before, std::size_t standing) const {
    constexpr std::size_t timers = 2;
    const auto all = [](const std::vector<std::size_t>& of_workers) {
        return std::accumulate(of_workers.begin(), of_workers.end(), std::size_t{0});
    };
    const std::size_t now_all = all(descriptors_of_workers);
    const std::size_t then_all = all(before.descriptors_of_workers);
    const auto about_as_many = [standing](std::size_t now, std::size_t then) {
        return now + standing >= then && now <= then + standing + timers;
    };
    return processes == before.processes && zombies == before.zombies &&
           descriptors_of_master == before.descriptors_of_master && now_all >= then_all &&
           now_all <= then_all + timers * descriptors_of_workers.size() &&
           std::equal(descriptors_of_workers.begin(), descriptors_of_workers.end(),
               before.descriptors_of_workers.begin(), before.descriptors_of_workers.end(),
               about_as_many) &&
           connections == before.connections && local_connections == before.local_connections;
}

ServerResources resources_of(
    Server& server, const SoakDoors& doors, const std::vector<pid_t>& workers) {
    ServerResources resources;
    const pid_t master = server.master_pid();
    for (const ProcessState& child : descendants_of(server.process().pid())) {
        ++resources.processes;
        resources.zombies += child.state == 'Z' ? 1 : 0;
    }
    resources.descriptors_of_master = descriptors_of(master).value_or(0);
    for (const pid_t worker : workers)
        resources.descriptors_of_workers.push_back(descriptors_of(worker).value_or(0));
    for (std::size_t listener = 0; listener < endpoints_of_soak; ++listener)
        resources.connections += held_connections_of(server.endpoint(listener)).value_or(0);
    resources.local_connections = connections_of_path(doors.local_path()).value_or(0);
    return resources;
}

MemoryByProcess memory_of(Server& server, const std::vector<pid_t>& workers) {
    MemoryByProcess memory;
    const pid_t master = server.master_pid();
    memory[master] = own_memory_bytes_of(master).value_or(0);
    for (const pid_t worker : workers)
        memory[worker] = own_memory_bytes_of(worker).value_or(0);
    return memory;
}

std::vector<std::string> shared_memory_of(pid_t master) {
    std::vector<std::string> found;
    std::error_code error;
    const std::string prefix = "chatserv-" + std::to_string(master) + "-";
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error))
        if (entry.path().filename().string().rfind(prefix, 0) == 0)
            found.push_back(entry.path());
    return found;
}

} // namespace chatserv::test
