// Poison: tells AddressSanitizer which memory is not ours to touch now: provided buffers that the
// kernel owns, blocks that lie in a pool. Compiles to nothing in other builds. ASan cannot see the
// kernel's own writes; this at least catches ours. Any thread.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define PORTCULLIS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PORTCULLIS_ASAN 1
#endif
#endif

#ifdef PORTCULLIS_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace portcullis::io {

// Poison makes any access to [data, data + bytes) an ASan report until Unpoison.
inline void Poison([[maybe_unused]] const void* data, [[maybe_unused]] size_t bytes) {
#ifdef PORTCULLIS_ASAN
  __asan_poison_memory_region(data, bytes);
#endif
}

// Unpoison gives [data, data + bytes) back to us.
inline void Unpoison([[maybe_unused]] const void* data, [[maybe_unused]] size_t bytes) {
#ifdef PORTCULLIS_ASAN
  __asan_unpoison_memory_region(data, bytes);
#endif
}

}  // namespace portcullis::io
