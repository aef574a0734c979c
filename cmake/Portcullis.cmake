# How this repository declares its parts. Each folder's CMakeLists.txt says what it has and what that stands on:
#
#   portcullis_library(NAME io SRCS a.cc HDRS a.h DEPS portcullis::uring)   -> target portcullis_io
#   portcullis_executable(NAME portcullis SRCS main.cc DEPS ...)            -> build/<preset>/portcullis
#   portcullis_test(NAME ring_test SRCS ring_test.cc DEPS portcullis_io)    -> one GoogleTest binary, one ctest entry
#   portcullis_bench(NAME ring_bench SRCS ring_bench.cc DEPS ...)           -> one Google Benchmark binary
#   portcullis_fuzzer(NAME x_fuzz SRCS x_fuzz.cc DEPS ... CORPUS dir)       -> libFuzzer in flavour fuzz; elsewhere a
#                                                                              ctest entry which replays the corpus
#   portcullis_script_test(NAME tidy COMMAND ... )                          -> a ctest entry which runs a script
#
# portcullis_test, portcullis_fuzzer and portcullis_script_test also take TIMEOUT <seconds>, LABELS <label>...,
# RESOURCES <lock>... (tests naming the same one never run together), ENVIRONMENT <VAR=value>... and the flag SERIAL
# (nothing else runs meanwhile).

add_library(portcullis_warnings INTERFACE)
target_compile_options(portcullis_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wconversion -Werror>)
# What gcc's optimiser guesses about sizes is said but stops nothing: each release is wrong about the standard library
# in places of its own (gcc 14: a vector's insert that "writes into a region of size 0").
target_compile_options(portcullis_warnings INTERFACE
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-error=stringop-overflow -Wno-error=stringop-overread -Wno-error=array-bounds
  -Wno-error=maybe-uninitialized -Wno-error=restrict>)

# Sanitizers slow a test by this factor on a busy machine; its TIMEOUT is stretched by as much.
if(PORTCULLIS_FLAVOUR STREQUAL "release")
  set(PORTCULLIS_TIMEOUT_FACTOR 1)
else()
  set(PORTCULLIS_TIMEOUT_FACTOR 5)
endif()

set(_portcullis_test_flags SERIAL)
set(_portcullis_test_single TIMEOUT)
set(_portcullis_test_multi LABELS RESOURCES ENVIRONMENT)

# Fails on what cmake_parse_arguments could not place: a misspelt keyword must not silently drop a source or a test.
macro(_portcullis_check_arguments kind)
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${kind}(${ARG_NAME}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_NAME)
    message(FATAL_ERROR "${kind}: NAME is missing")
  endif()
endmacro()

function(_portcullis_configure_target target)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE portcullis_warnings)
endfunction()

# What is tested is optimised as it ships; what tests it need not be, and compiles up to three times as fast (under the
# sanitizers most of a test's compile time went into optimising its instrumented assertions).
function(_portcullis_unoptimised target)
  target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
endfunction()

# Applies the options common to all kinds of tests (in ARG_* of the caller) to ctest entry `name`.
macro(_portcullis_test_properties name)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  math(EXPR _timeout "${ARG_TIMEOUT} * ${PORTCULLIS_TIMEOUT_FACTOR}")
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${_timeout}
    LABELS "${ARG_LABELS}"
    RESOURCE_LOCK "${ARG_RESOURCES}"
    ENVIRONMENT "${PORTCULLIS_TEST_ENVIRONMENT};${ARG_ENVIRONMENT}"
    SKIP_RETURN_CODE 77)
  if(ARG_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endmacro()

function(_portcullis_several_at_a_time target)
  if(PORTCULLIS_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # gcc takes an included source for a header, where types without linkage would be a fault.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

function(portcullis_library)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;HDRS;DEPS" ${ARGN})
  _portcullis_check_arguments(portcullis_library)
  set(target portcullis_${ARG_NAME})
  if(ARG_SRCS)
    add_library(${target} STATIC ${ARG_SRCS} ${ARG_HDRS})
    _portcullis_configure_target(${target})
    target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} PUBLIC ${ARG_DEPS})
    file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
    if(folder MATCHES "^(tests|bench)" AND NOT PORTCULLIS_FLAVOUR STREQUAL "release")
      _portcullis_unoptimised(${target})
    endif()
    _portcullis_several_at_a_time(${target})
  else()
    add_library(${target} INTERFACE ${ARG_HDRS})
    target_include_directories(${target} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

function(portcullis_executable)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS" ${ARGN})
  _portcullis_check_arguments(portcullis_executable)
  add_executable(${ARG_NAME} ${ARG_SRCS})
  _portcullis_configure_target(${ARG_NAME})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS})
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()

function(portcullis_test)
  cmake_parse_arguments(ARG "${_portcullis_test_flags}" "NAME;${_portcullis_test_single}"
    "SRCS;DEPS;ARGS;${_portcullis_test_multi}" ${ARGN})
  _portcullis_check_arguments(portcullis_test)
  if(NOT PORTCULLIS_BUILD_TESTS)
    return()
  endif()
  add_executable(${ARG_NAME} ${ARG_SRCS})
  _portcullis_configure_target(${ARG_NAME})
  _portcullis_unoptimised(${ARG_NAME})
  _portcullis_several_at_a_time(${ARG_NAME})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${ARG_NAME} COMMAND ${PORTCULLIS_TEST_LAUNCHER} $<TARGET_FILE:${ARG_NAME}> ${ARG_ARGS})
  _portcullis_test_properties(${ARG_NAME})
endfunction()

function(portcullis_bench)
  cmake_parse_arguments(ARG "" "NAME" "SRCS;DEPS" ${ARGN})
  _portcullis_check_arguments(portcullis_bench)
  if(NOT PORTCULLIS_BUILD_TESTS)
    return()
  endif()
  add_executable(${ARG_NAME} ${ARG_SRCS})
  _portcullis_configure_target(${ARG_NAME})
  if(NOT PORTCULLIS_FLAVOUR STREQUAL "release")
    _portcullis_unoptimised(${ARG_NAME})
  endif()
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} benchmark::benchmark benchmark::benchmark_main)
endfunction()

function(portcullis_fuzzer)
  cmake_parse_arguments(ARG "${_portcullis_test_flags}" "NAME;CORPUS;${_portcullis_test_single}"
    "SRCS;DEPS;${_portcullis_test_multi}" ${ARGN})
  _portcullis_check_arguments(portcullis_fuzzer)
  if(NOT PORTCULLIS_BUILD_TESTS)
    return()
  endif()
  get_filename_component(corpus "${ARG_CORPUS}" ABSOLUTE)
  file(GLOB seeds LIST_DIRECTORIES false "${corpus}/*")
  if(NOT seeds)
    message(FATAL_ERROR "portcullis_fuzzer(${ARG_NAME}): no corpus in ${corpus}")
  endif()
  add_executable(${ARG_NAME} ${ARG_SRCS})
  _portcullis_configure_target(${ARG_NAME})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS})
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${ARG_NAME})
  if(PORTCULLIS_FLAVOUR STREQUAL "fuzz")
    target_link_options(${ARG_NAME} PRIVATE -fsanitize=fuzzer)
    # One pass over the corpus, and a short hunt from it, on a scratch copy so that finds do not land in the tree.
    add_test(NAME ${ARG_NAME} COMMAND ${PORTCULLIS_TEST_LAUNCHER}
      $<TARGET_FILE:${ARG_NAME}> -max_total_time=20 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
      "${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}.found" "${corpus}")
    file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}.found")
  else()
    _portcullis_unoptimised(${ARG_NAME})
    target_sources(${ARG_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc")
    add_test(NAME ${ARG_NAME} COMMAND ${PORTCULLIS_TEST_LAUNCHER} $<TARGET_FILE:${ARG_NAME}> "${corpus}")
  endif()
  list(APPEND ARG_LABELS fuzz)
  _portcullis_test_properties(${ARG_NAME})
endfunction()

function(portcullis_script_test)
  cmake_parse_arguments(ARG "${_portcullis_test_flags}" "NAME;${_portcullis_test_single}"
    "COMMAND;${_portcullis_test_multi}" ${ARGN})
  _portcullis_check_arguments(portcullis_script_test)
  if(NOT PORTCULLIS_BUILD_TESTS)
    return()
  endif()
  add_test(NAME ${ARG_NAME} COMMAND ${PORTCULLIS_TEST_LAUNCHER} ${ARG_COMMAND}
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  _portcullis_test_properties(${ARG_NAME})
endfunction()
