// A fiber: a function with a stack of its own that can be stopped, and put back to where it was
// stopped before.
//
// The second is what makes a search of all interleavings cheap: nothing is ever run again from the
// beginning. It works because what runs in a fiber keeps everything it knows on its stack, and its
// stack is always at the same place.
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
    // What a stopped fiber is: its registers and the part of its stack in use.
    struct Image {
        ucontext_t context;
        std::vector<std::byte> stack;
        uint64_t version = 0;
    };

    // `body` must not return, nor throw, nor own memory elsewhere while it is stopped.
    explicit Fiber(std::function<void()> body);
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    // Runs it until it suspends.
    void resume();
    // Called by the body: goes back to whoever resumed it.
    void suspend();

    void save(Image& image) const;
    void restore(const Image& image);

private:
    static void enter();
    [[nodiscard]] std::span<std::byte> live() const;

    std::function<void()> body_;
    std::unique_ptr<std::byte[]> stack_;
    std::byte* lowest_ = nullptr; // of the stack in use
    uint64_t version_ = 0;        // differs wherever the contents do
    ucontext_t context_{};
    ucontext_t resumer_{};
};

} // namespace chatserv::model
