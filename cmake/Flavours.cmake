# What the presets mean. PORTCULLIS_FLAVOUR is one of
#   release   -O2 with line tables
#   asan      AddressSanitizer and UndefinedBehaviorSanitizer, PORTCULLIS_DCHECK on
#   tsan      ThreadSanitizer, PORTCULLIS_DCHECK on
#   fuzz      libFuzzer with the sanitizers of asan, PORTCULLIS_DCHECK on; clang only
# The flags apply to everything compiled here, BoringSSL included, so that a sanitizer sees its memory accesses too.
# Any report ends the program.

set(PORTCULLIS_FLAVOUR "release" CACHE STRING "release, asan, tsan or fuzz")
set_property(CACHE PORTCULLIS_FLAVOUR PROPERTY STRINGS release asan tsan fuzz)

set(_common -g1 -fno-omit-frame-pointer -pipe)
if(PORTCULLIS_FLAVOUR STREQUAL "release")
  add_compile_options(-O2 ${_common})
elseif(PORTCULLIS_FLAVOUR STREQUAL "asan")
  set(_sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
  add_compile_options(-O1 ${_common} ${_sanitize})
  add_link_options(${_sanitize})
elseif(PORTCULLIS_FLAVOUR STREQUAL "tsan")
  add_compile_options(-O1 ${_common} -fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(PORTCULLIS_FLAVOUR STREQUAL "fuzz")
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "libFuzzer comes with clang: use --preset fuzz after deploy/deps --fuzz")
  endif()
  set(_sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
  add_compile_options(-O1 ${_common} ${_sanitize} -fsanitize=fuzzer-no-link)
  add_link_options(${_sanitize})
else()
  message(FATAL_ERROR "PORTCULLIS_FLAVOUR=${PORTCULLIS_FLAVOUR}: must be release, asan, tsan or fuzz")
endif()

if(NOT PORTCULLIS_FLAVOUR STREQUAL "release")
  add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:PORTCULLIS_DCHECK_ON=1>)
endif()
