# What the presets mean. PORTCULLIS_FLAVOUR is one of
#   release   -O2 with line tables, hardened: bounds checks of the standard library, stack protector, full RELRO;
#             BoringSSL -O3
#   asan      AddressSanitizer and UndefinedBehaviorSanitizer, PORTCULLIS_DCHECK on
#   tsan      ThreadSanitizer, PORTCULLIS_DCHECK on
#   fuzz      libFuzzer with the sanitizers of asan, PORTCULLIS_DCHECK on; clang only
# The flags apply to everything compiled here, BoringSSL included, so that a sanitizer sees its memory accesses too.
# Any report ends the program.

set(PORTCULLIS_FLAVOUR "release" CACHE STRING "release, asan, tsan or fuzz")
set_property(CACHE PORTCULLIS_FLAVOUR PROPERTY STRINGS release asan tsan fuzz)

# -fPIE and not -fPIC: everything ends up in an executable, and within one nothing can be interposed.
set(_common -g1 -fno-omit-frame-pointer -fPIE -pipe)
add_link_options(-pie)
add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_ASSERTIONS>)
if(PORTCULLIS_FLAVOUR STREQUAL "release")
  add_compile_options(-O2 ${_common} $<$<COMPILE_LANGUAGE:C,CXX>:-fstack-protector-strong>)
  add_compile_definitions(NDEBUG $<$<COMPILE_LANGUAGE:C,CXX>:_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro -Wl,-z,now)
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
  # Later Abseil lays its hash tables out differently when it sees a sanitizer; the system's library did not see one.
  add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:NDEBUG_SANITIZER>)
endif()

# What a training load has shown of where the time goes, for the release flavour and GCC: `generate` builds a program
# that leaves its counts beside the objects when it ends, `use` builds from them, in the same build folder and with the
# same compiler. README says how; bench/RESULTS.md what it is worth.
set(PORTCULLIS_PROFILE "" CACHE STRING "empty, generate or use")
set_property(CACHE PORTCULLIS_PROFILE PROPERTY STRINGS "" generate use)
if(NOT PORTCULLIS_PROFILE STREQUAL "")
  if(NOT (PORTCULLIS_FLAVOUR STREQUAL "release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"))
    message(FATAL_ERROR "PORTCULLIS_PROFILE is for the release flavour, built with GCC")
  endif()
  if(PORTCULLIS_PROFILE STREQUAL "generate")
    add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fprofile-generate> -fprofile-update=prefer-atomic)
    add_link_options(-fprofile-generate)
  elseif(PORTCULLIS_PROFILE STREQUAL "use")
    add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fprofile-use> -fprofile-correction -Wno-missing-profile)
  else()
    message(FATAL_ERROR "PORTCULLIS_PROFILE=${PORTCULLIS_PROFILE}: must be empty, generate or use")
  endif()
endif()

# Sources of a folder compiled several at a time: most of a source's compile time goes into the headers it shares with
# its neighbours. Without it each source proves to include what it needs, and an edit compiles less: for who works on
# the code.
option(PORTCULLIS_UNITY "Compile several sources of a folder at a time" ON)

# What a test runs in. Where the kernel randomises addresses by more bits than this compiler's sanitizer runtime knows,
# its shadow memory collides; without randomisation (inherited by what a test starts) it never does.
set(PORTCULLIS_TEST_LAUNCHER "")
set(PORTCULLIS_TEST_ENVIRONMENT "PORTCULLIS_FLAVOUR=${PORTCULLIS_FLAVOUR}")
if(NOT PORTCULLIS_FLAVOUR STREQUAL "release")
  find_program(PORTCULLIS_SETARCH setarch)
  if(PORTCULLIS_SETARCH)
    # Containers may forbid the personality call.
    execute_process(COMMAND "${PORTCULLIS_SETARCH}" "${CMAKE_HOST_SYSTEM_PROCESSOR}" -R true
      RESULT_VARIABLE _setarch_result OUTPUT_QUIET ERROR_QUIET)
    if(_setarch_result EQUAL 0)
      set(PORTCULLIS_TEST_LAUNCHER "${PORTCULLIS_SETARCH}" "${CMAKE_HOST_SYSTEM_PROCESSOR}" -R)
    endif()
  endif()
  list(APPEND PORTCULLIS_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp")
endif()
