// A fiber: a function with a stack of its own that can be stopped, and put back to where it was
// stopped before.
//
// The second is what makes a search of all interleavings cheap: nothing is ever run again from the
// beginning. It works because what runs in a fiber keeps everything it knows on its stack and its
// heap, and both are always at the same place. `operator new` takes memory from the heap of the
// fiber that runs.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <ucontext.h>
#include <vector>

namespace chatserv::model {

class Fiber {
public:
    // What a stopped fiber is: its registers and the parts of its stack and its heap in use.
    struct Image {
        ucontext_t context;
        std::vector<std::byte> stack;
        std::vector<std::byte> heap;
        size_t last_block = 0;
        uint64_t version = 0;
    };

    // `body` must not return nor throw, and owns no memory but that of the fiber.
    explicit Fiber(std::function<void()> body);
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    // Runs it until it suspends.
    void resume();
    // Called by the body: goes back to whoever resumed it.
    void suspend();

    void save(Image& image) const;
    void restore(const Image& image);

    // Where a fiber runs: that fiber; else null.
    [[nodiscard]] static Fiber* running();
    // Memory for what runs in the fiber; panics if the heap is full.
    [[nodiscard]] void* allocate(size_t bytes);
    // Whether the memory is of a fiber's heap. If so, it is given back.
    static bool give_back(void* memory);

private:
    struct Block; // of the heap: what stands in front of the memory

    static void enter();
    void give_back(Block& block);
    [[nodiscard]] std::span<std::byte> live() const;

    std::function<void()> body_;
    std::unique_ptr<std::byte[]> stack_;
    std::unique_ptr<std::byte[]> heap_;
    size_t heap_used_ = 0;
    size_t last_block_;           // where it begins; as Block::before
    std::byte* lowest_ = nullptr; // of the stack in use
    uint64_t version_ = 0;        // differs wherever the contents do
    ucontext_t context_{};
    ucontext_t resumer_{};
};

} // namespace chatserv::model
