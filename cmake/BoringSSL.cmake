# BoringSSL as static libraries: targets BoringSSL::ssl and BoringSSL::crypto.
#
# Three origins:
#   (default)                         the source that deploy/deps put into the private folder, compiled here from its
#                                     own list of files and its pre-generated assembly
#   -DBORINGSSL_SOURCE_DIR=DIR        a checkout of upstream, by its own CMakeLists.txt
#   -DPORTCULLIS_BORINGSSL=upstream   upstream at the commit pinned below, fetched at configure time
#
# Symbols are hidden, so that nothing of ours is taken for OpenSSL's by a system library loaded beside it.
#
# The release flavour compiles them with -O3, as the library's own release build does: X25519 is C where the packaged
# source has no assembly for it, and takes an eighth less then (bench/RESULTS.md).

set(PORTCULLIS_BORINGSSL "packaged" CACHE STRING "Where BoringSSL comes from: packaged or upstream")
set_property(CACHE PORTCULLIS_BORINGSSL PROPERTY STRINGS packaged upstream)
set(BORINGSSL_SOURCE_DIR "" CACHE PATH "A checkout of upstream BoringSSL to build instead of the packaged source")

set(PORTCULLIS_BORINGSSL_UPSTREAM_COMMIT a0689af29e8e460f1e5380e0fb74cef1b342e810)

if(PORTCULLIS_FLAVOUR STREQUAL "release")
  set(_boringssl_optimise $<$<COMPILE_LANGUAGE:C,CXX>:-O3>)  # comes after the -O2 for everything, and counts
endif()

# Compiles the source tree `root` as laid out in Android's copy of BoringSSL.
function(portcullis_boringssl_packaged root)
  set(BORINGSSL_ROOT "${root}/")
  include("${root}/android-sources.cmake")

  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    set(assembly ${crypto_sources_linux_x86_64})
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(assembly ${crypto_sources_linux_aarch64})
  else()
    message(FATAL_ERROR "No BoringSSL assembly for ${CMAKE_SYSTEM_PROCESSOR}: x86_64 and aarch64 are supported")
  endif()

  add_library(boringssl_crypto STATIC ${crypto_sources} ${assembly})
  add_library(boringssl_ssl STATIC ${ssl_sources})
  target_link_libraries(boringssl_crypto PUBLIC Threads::Threads)
  target_link_libraries(boringssl_ssl PUBLIC boringssl_crypto)
  foreach(library IN ITEMS boringssl_crypto boringssl_ssl)
    target_include_directories(${library} SYSTEM PUBLIC "${root}/src/include")
    target_compile_definitions(${library} PRIVATE BORINGSSL_IMPLEMENTATION _XOPEN_SOURCE=700)
    target_compile_options(${library} PRIVATE -w -fno-common -fno-strict-aliasing ${_boringssl_optimise}
      $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>
      $<$<COMPILE_LANGUAGE:ASM>:-Wa,--noexecstack>)
    set_target_properties(${library} PROPERTIES
      C_STANDARD 11 CXX_STANDARD 17 C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
      EXPORT_COMPILE_COMMANDS OFF EXCLUDE_FROM_ALL ON)
  endforeach()
  add_library(BoringSSL::crypto ALIAS boringssl_crypto)
  add_library(BoringSSL::ssl ALIAS boringssl_ssl)
endfunction()

# Takes an upstream checkout's own build, without its tests and tools.
function(portcullis_boringssl_upstream root)
  if(NOT EXISTS "${root}/CMakeLists.txt" OR NOT EXISTS "${root}/include/openssl/ssl.h")
    message(FATAL_ERROR "BORINGSSL_SOURCE_DIR=${root} is no checkout of BoringSSL (no include/openssl/ssl.h)")
  endif()
  # Its build types decide on assertions and on test hooks which write to shared memory at each call.
  if(PORTCULLIS_FLAVOUR STREQUAL "release")
    set(CMAKE_BUILD_TYPE Release)
  else()
    set(CMAKE_BUILD_TYPE RelWithAsserts)
  endif()
  set(BUILD_TESTING OFF)
  set(BUILD_SHARED_LIBS OFF)
  set(CMAKE_CXX_EXTENSIONS ON)
  set(CMAKE_EXPORT_COMPILE_COMMANDS OFF)
  add_subdirectory("${root}" "${CMAKE_BINARY_DIR}/boringssl" EXCLUDE_FROM_ALL)
  foreach(library IN ITEMS crypto ssl fipsmodule)
    if(TARGET ${library})
      target_compile_options(${library} PRIVATE -w -Wno-error ${_boringssl_optimise})
    endif()
  endforeach()
  foreach(library IN ITEMS crypto ssl)
    # Their headers are not ours to lint.
    get_target_property(includes ${library} INTERFACE_INCLUDE_DIRECTORIES)
    if(includes)
      set_target_properties(${library} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${includes}")
    endif()
    add_library(BoringSSL::${library} ALIAS ${library})
  endforeach()
endfunction()

if(BORINGSSL_SOURCE_DIR)
  get_filename_component(_boringssl_root "${BORINGSSL_SOURCE_DIR}" ABSOLUTE BASE_DIR "${CMAKE_BINARY_DIR}")
  message(STATUS "BoringSSL: upstream checkout ${_boringssl_root}")
  portcullis_boringssl_upstream("${_boringssl_root}")
elseif(PORTCULLIS_BORINGSSL STREQUAL "upstream")
  message(STATUS "BoringSSL: upstream ${PORTCULLIS_BORINGSSL_UPSTREAM_COMMIT}")
  include(FetchContent)
  FetchContent_Declare(boringssl_upstream
    GIT_REPOSITORY https://github.com/google/boringssl.git
    GIT_TAG ${PORTCULLIS_BORINGSSL_UPSTREAM_COMMIT})
  FetchContent_GetProperties(boringssl_upstream)
  if(NOT boringssl_upstream_POPULATED)
    FetchContent_Populate(boringssl_upstream)
  endif()
  portcullis_boringssl_upstream("${boringssl_upstream_SOURCE_DIR}")
elseif(PORTCULLIS_BORINGSSL STREQUAL "packaged")
  if(NOT EXISTS "${PORTCULLIS_DEPS_DIR}/boringssl/android-sources.cmake")
    message(FATAL_ERROR "No BoringSSL in ${PORTCULLIS_DEPS_DIR}: run deploy/deps first")
  endif()
  message(STATUS "BoringSSL: packaged source ${PORTCULLIS_DEPS_DIR}/boringssl")
  portcullis_boringssl_packaged("${PORTCULLIS_DEPS_DIR}/boringssl")
else()
  message(FATAL_ERROR "PORTCULLIS_BORINGSSL=${PORTCULLIS_BORINGSSL}: must be packaged or upstream")
endif()
