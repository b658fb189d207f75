// The simulator: processes that take steps, and the moves from which a schedule is made.
//
// A process runs up to its next step, which it announces before it makes it: a load of a shared
// word, an atomic exchange, a fence, a system call. A schedule's moves are: a process makes its
// announced step; a store of its buffer reaches the memory; it is killed, in which case what its
// buffer holds reaches the memory. The simulator knows which moves there are; explorer.h tries all
// of them.
//
// To store is no step, as nobody can tell when a store enters a buffer; so a process that is killed
// may have made any number of the stores that lead to its next step. Nor is a load a step of which
// memory.h says that it could not have found anything else.
#pragma once

#include "tests/model/fiber.h"
#include "tests/model/joined/stream_state.h"
#include "tests/model/kernel.h"
#include "tests/model/memory.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace chatserv::model {

struct Hash {
    uint64_t high = 0;
    uint64_t low = 0;

    void add(uint64_t value);
    bool operator==(const Hash&) const = default;
};

struct State;

// What a process is about to do. Literals only: this is copied and compared with the rest.
struct Step {
    static constexpr uint32_t nowhere = ~0U;

    const char* what = "";
    uint32_t granule = nowhere;
    uint64_t value = 0;
    bool (*possible)(const State&, size_t process) = nullptr; // null: always
};

struct ProcessState {
    StoreBuffer buffer;
    Hash history; // of all it has learnt since forget(): what its next steps depend on
    Step step;
    uint64_t spun_value; // what it loaded last of a word that it spins on; `spins`: lately
    uint32_t spun;       // the granule of that word
    uint32_t entry;
    bool spins;
    bool dead;
};

inline constexpr uint32_t no_entry = ~0U;

struct State {
    Memory::Contents memory;
    std::array<ProcessState, processes_max> processes;
    KernelState kernel;
    StreamState stream; // of a joined room
    uint32_t kills_left;
    const char* violation; // null: none
};

struct Move {
    enum class Kind : uint8_t { step, flush, kill, happening, mishap };

    Kind kind;
    uint8_t process; // happening, mishap: the number of it
    uint8_t unmade;  // kill: how many of the stores before its next step it did not come to

    // Whether it has to be possible to go on without it.
    [[nodiscard]] bool is_harm() const { return kind == Kind::kill || kind == Kind::mishap; }
};

// What happens outside the processes, in one step.
struct Happening {
    const char* what;
    bool is_mishap; // like a death, it can happen and need not
    std::function<bool(const State&)> possible;
    std::function<void(State&)> happen;
};

// A fault put into how the memory behaves, so that code which is right goes wrong.
struct Fault {
    // A fence that does nothing.
    std::function<bool(size_t process)> no_fence;
    // A store that never happens.
    std::function<bool(const Store&)> lost;
    // Stores made only after one that should follow them at once, that to the granule `after`.
    std::function<bool(const Store&)> late;
    uint32_t after = Step::nowhere;
    // A load that finds nothing there.
    std::function<bool(size_t process, uint32_t granule)> unseen;
    // A load that finds something else there.
    std::function<std::optional<uint64_t>(uint32_t granule)> misread;
};

class Simulator {
    static constexpr uint64_t not_last = ~0ULL;

public:
    struct Snapshot {
        State state;
        std::array<Fiber::Image, processes_max> fibers;
    };

    Simulator();
    ~Simulator();
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;

    // Setting up, before start().
    [[nodiscard]] Memory& memory() { return memory_; }
    void add_process(const char* name, uint32_t entry, bool killable, std::function<void()> body);
    void add_happening(Happening happening) { happenings_.push_back(std::move(happening)); }
    void inject(Fault fault) { fault_ = std::move(fault); }
    // Granules whose values the holder of a lock may have copied without a step.
    void read_plainly(uint32_t granule) { read_plainly_.push_back(granule); }
    // Each store reaches the memory before its process's next step: the memory of a simpler
    // machine.
    void set_in_order(bool in_order) { in_order_ = in_order; }
    // A granule that is not stored to any more once it has this value.
    void set_last_value(uint32_t granule, uint64_t value) { last_values_[granule] = value; }
    // A record that its owner writes before it is valid: granules [begin, end). It is valid where
    // `valid_mask` of the first one is not 0.
    struct Draft {
        uint32_t owner = no_entry; // an entry
        uint32_t begin = 0;
        uint32_t end = 0;
        uint64_t valid_mask = 0;
    };
    void add_draft(const Draft& draft) { drafts_.push_back(draft); }
    // The lock that Access::locked is about, by whose value one can tell who holds it.
    void set_lock(uint32_t granule) { lock_ = granule; }
    // From the segment as it is. Every process runs up to its first step.
    void start();

    // The search.
    [[nodiscard]] State& state() { return state_; }
    [[nodiscard]] const State& state() const { return state_; }
    void moves(std::vector<Move>& moves) const;
    void make(const Move& move);
    [[nodiscard]] Hash hash() const;
    [[nodiscard]] std::string describe(const Move& move) const;
    void save(Snapshot& snapshot) const;
    void restore(const Snapshot& snapshot);
    // Makes the segment what the memory holds once all stores have reached it.
    void show_memory();

    // For processes: called where a process of this simulator runs.
    [[nodiscard]] size_t running() const { return running_; }
    // Waits for its turn to make a system call, and for the call to be possible.
    void call(const char* what, bool (*possible)(const State&, size_t process) = nullptr);
    // The same for a call that is nobody else's business.
    void call_alone(const char* what);
    // The call has written to the segment: that much has been done even where its caller dies now.
    void call_wrote();
    // What a process learnt without a load.
    void note(uint64_t value) { self().history.add(value); }
    // All that the process knows is in `known`, whatever it has learnt before.
    void forget(const Hash& known) { self().history = known; }
    void set_entry(uint32_t entry) { self().entry = entry; }
    [[noreturn]] void fail(const char* what);

    uint64_t load(const void* word, size_t bytes);
    void store(void* word, size_t bytes, uint64_t value);
    uint64_t exchange(void* word, size_t bytes, uint64_t value);
    bool replace_if(void* word, size_t bytes, uint64_t expected, uint64_t desired);
    void full_fence();

private:
    struct Process {
        const char* name;
        bool killable;
        std::unique_ptr<Fiber> fiber;
    };

    [[nodiscard]] ProcessState& self() { return state_.processes[running_]; }
    [[nodiscard]] bool is_own(uint32_t granule) const;
    [[nodiscard]] bool has_last_value(uint32_t granule) const {
        return last_values_[granule] != not_last && state_.memory[granule] == last_values_[granule];
    }
    [[nodiscard]] bool can_be_killed(size_t process) const;
    void wait_for_turn(const Step& step);
    void run(size_t process);
    void collect_plain_stores();
    void buffer(const Store& store);
    [[nodiscard]] uint64_t found(uint32_t granule, uint64_t value) const;
    void check_load(uint32_t granule) const;
    void check_store(const Store& store) const;
    void check_owner_is_dead(uint32_t granule) const;
    [[nodiscard]] bool loads_alone(uint32_t granule) const;
    void put_in_memory(const Store& store);
    void drain(ProcessState& process);
    void spoil(const Draft& draft);
    void add_moves_of(size_t process, std::vector<Move>& moves) const;

    Memory memory_;
    std::vector<Process> processes_;
    std::vector<Happening> happenings_;
    std::vector<uint32_t> read_plainly_;
    std::array<uint64_t, granules_max> last_values_; // not_last: none
    uint32_t lock_ = Step::nowhere;
    bool in_order_ = false;
    std::vector<Draft> drafts_;
    Fault fault_;
    State state_{};
    size_t running_ = 0;
};

// Where a process runs: its simulator; else null.
[[nodiscard]] Simulator* active();

} // namespace chatserv::model
