#include "tests/model/fiber.h"

#include "shared/system/panic.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define MODEL_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MODEL_WITH_ASAN 1
#endif
#endif

#ifdef MODEL_WITH_ASAN
#include <sanitizer/common_interface_defs.h>

// Variables are to lie on the stack, not on one of the sanitizer's that would not be put back.
extern "C" const char* __asan_default_options();
const char* __asan_default_options() {
    return "detect_stack_use_after_return=0";
}
#endif

namespace chatserv::model {

namespace {

#ifdef MODEL_WITH_ASAN
// Its frames are larger, and its own stand between suspend() and swapcontext(3).
constexpr size_t stack_bytes = 256 * 1024;
constexpr size_t below_frame_bytes = 4096;
#else
constexpr size_t stack_bytes = 64 * 1024;
constexpr size_t below_frame_bytes = 384;
#endif

constexpr size_t heap_bytes = 64 * 1024;
constexpr size_t no_block = ~size_t{0};

Fiber* entering = nullptr;
Fiber* running_fiber = nullptr;
uint64_t versions = 0;

#ifdef MODEL_WITH_ASAN
// The red zones between a fiber's variables are copied with the rest. (swapcontext(3), as the
// sanitizer has it, forgets those of the stack that it goes to, so that they need no restoring.)
__attribute__((no_sanitize("address"))) void copy_bytes(
    std::byte* to, const std::byte* from, size_t bytes) {
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t))
        *reinterpret_cast<volatile uint64_t*>(to + i) =
            *reinterpret_cast<const volatile uint64_t*>(from + i);
}

// The sanitizer is told which stack is in use: the fiber's, or that of whoever resumed it.
const void* resumer_stack = nullptr;
size_t resumer_stack_bytes = 0;

void leave_for(const void* stack, size_t bytes) {
    __sanitizer_start_switch_fiber(nullptr, stack, bytes);
}
void arrive_in_fiber() {
    __sanitizer_finish_switch_fiber(nullptr, &resumer_stack, &resumer_stack_bytes);
}
void arrive_in_resumer() {
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
}
void leave_for_resumer() {
    leave_for(resumer_stack, resumer_stack_bytes);
}
#else
void leave_for(const void*, size_t) {}
void arrive_in_fiber() {}
void arrive_in_resumer() {}
void leave_for_resumer() {}

void copy_bytes(std::byte* to, const std::byte* from, size_t bytes) {
    std::memcpy(to, from, bytes);
}
#endif

} // namespace

Fiber::Fiber(std::function<void()> body) :
    body_(std::move(body)), stack_(new std::byte[stack_bytes]), heap_(new std::byte[heap_bytes]),
    last_block_(no_block) {
    ::getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = stack_bytes;
    context_.uc_link = nullptr;
    ::makecontext(&context_, &Fiber::enter, 0);
}

void Fiber::enter() {
    arrive_in_fiber();
    Fiber* const self = entering;
    self->body_();
    panic("the body of a fiber came to its end");
}

void Fiber::resume() {
    entering = this;
    version_ = ++versions;
    leave_for(stack_.get(), stack_bytes);
    running_fiber = this;
    ::swapcontext(&resumer_, &context_);
    running_fiber = nullptr;
    arrive_in_resumer();
}

[[gnu::noinline]] void Fiber::suspend() {
    // What lies below this frame when it is left is of no more interest, but for a little.
    lowest_ = static_cast<std::byte*>(__builtin_frame_address(0)) - below_frame_bytes;
    lowest_ -= reinterpret_cast<uintptr_t>(lowest_) % sizeof(uint64_t);
    leave_for_resumer();
    ::swapcontext(&context_, &resumer_);
    arrive_in_fiber();
}

std::span<std::byte> Fiber::live() const {
    std::byte* const end = stack_.get() + stack_bytes;
    invariant(lowest_ > stack_.get() && lowest_ < end, "a fiber ran out of its stack");
    return {lowest_, end};
}

void Fiber::save(Image& image) const {
    if (image.version == version_)
        return;
    const std::span<std::byte> stack = live();
    image.context = context_;
    image.stack.resize(stack.size());
    copy_bytes(image.stack.data(), stack.data(), stack.size());
    image.heap.assign(heap_.get(), heap_.get() + heap_used_);
    image.last_block = last_block_;
    image.version = version_;
}

void Fiber::restore(const Image& image) {
    if (image.version == version_)
        return;
    // ucontext_t has pointers into itself, which hold as it goes back to where it was.
    context_ = image.context;
    lowest_ = stack_.get() + stack_bytes - image.stack.size();
    copy_bytes(lowest_, image.stack.data(), image.stack.size());
    heap_used_ = image.heap.size();
    std::copy(image.heap.begin(), image.heap.end(), heap_.get());
    last_block_ = image.last_block;
    version_ = image.version;
}

// --- the heap: blocks one after the other; those at the end that are given back are free again ---

struct alignas(std::max_align_t) Fiber::Block {
    size_t before; // where the block before it begins; no_block: it is the first
    bool free;
};

Fiber* Fiber::running() {
    return running_fiber;
}

void* Fiber::allocate(size_t bytes) {
    const size_t whole =
        sizeof(Block) + (bytes + alignof(Block) - 1) / alignof(Block) * alignof(Block);
    invariant(heap_used_ + whole <= heap_bytes, "a fiber ran out of its heap");
    std::byte* const at = heap_.get() + heap_used_;
    new (at) Block{.before = last_block_, .free = false};
    last_block_ = heap_used_;
    heap_used_ += whole;
    return at + sizeof(Block);
}

bool Fiber::give_back(void* memory) {
    Fiber* const fiber = running_fiber;
    const auto* const at = static_cast<std::byte*>(memory);
    if (fiber == nullptr || std::less<>()(at, fiber->heap_.get()) ||
        !std::less<>()(at, fiber->heap_.get() + heap_bytes))
        return false;
    fiber->give_back(*reinterpret_cast<Block*>(static_cast<std::byte*>(memory) - sizeof(Block)));
    return true;
}

void Fiber::give_back(Block& block) {
    block.free = true;
    while (last_block_ != no_block) {
        const auto& last = *reinterpret_cast<const Block*>(heap_.get() + last_block_);
        if (!last.free)
            return;
        heap_used_ = last_block_;
        last_block_ = last.before;
    }
}

} // namespace chatserv::model

// All of the program's memory that is not a fiber's is malloc(3)'s.
void* operator new(size_t bytes) {
    using chatserv::model::Fiber;
    void* const memory = Fiber::running() != nullptr ? Fiber::running()->allocate(bytes)
                                                     : std::malloc(bytes == 0 ? 1 : bytes);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}

void operator delete(void* memory) noexcept {
    if (!chatserv::model::Fiber::give_back(memory))
        std::free(memory);
}

void operator delete(void* memory, size_t /*bytes*/) noexcept {
    operator delete(memory);
}
