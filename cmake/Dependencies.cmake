# The libraries Portcullis stands on, under uniform names: portcullis::<name> for those whose own target names differ
# between releases or do not exist. deploy/deps installs them all.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED CONFIG)
find_package(yaml-cpp REQUIRED CONFIG)
find_package(spdlog REQUIRED CONFIG)
find_package(nlohmann_json 3.11 REQUIRED CONFIG)

pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing>=2.3)
pkg_check_modules(PROMETHEUS_CORE REQUIRED IMPORTED_TARGET prometheus-cpp-core)

# portcullis_alias(NAME LIBRARIES...): portcullis::NAME stands for LIBRARIES.
function(portcullis_alias name)
  add_library(portcullis_dep_${name} INTERFACE)
  target_link_libraries(portcullis_dep_${name} INTERFACE ${ARGN})
  add_library(portcullis::${name} ALIAS portcullis_dep_${name})
endfunction()

# portcullis_found_library(NAME HEADER LIBRARY ROOT): portcullis::NAME from a header and a library file, looked for
# under ROOT first (may be empty) and then in the system.
function(portcullis_found_library name header library root)
  find_path(PORTCULLIS_${name}_INCLUDE ${header} HINTS "${root}/usr/include" REQUIRED)
  find_library(PORTCULLIS_${name}_LIBRARY NAMES ${library}
    HINTS "${root}/usr/lib" "${root}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}" REQUIRED)
  add_library(portcullis_dep_${name} INTERFACE)
  target_include_directories(portcullis_dep_${name} SYSTEM INTERFACE "${PORTCULLIS_${name}_INCLUDE}")
  target_link_libraries(portcullis_dep_${name} INTERFACE "${PORTCULLIS_${name}_LIBRARY}")
  add_library(portcullis::${name} ALIAS portcullis_dep_${name})
endfunction()

portcullis_alias(uring PkgConfig::URING)
portcullis_alias(prometheus PkgConfig::PROMETHEUS_CORE)
portcullis_alias(json nlohmann_json::nlohmann_json)
portcullis_alias(spdlog spdlog::spdlog)
if(TARGET yaml-cpp::yaml-cpp)
  portcullis_alias(yaml yaml-cpp::yaml-cpp)
else()
  portcullis_alias(yaml yaml-cpp)
endif()
portcullis_found_library(civetweb civetweb.h civetweb "")
# Static, for the private copy (where the system has no package) must not be needed at run time.
portcullis_found_library(llhttp llhttp.h libllhttp.a "${PORTCULLIS_DEPS_DIR}/llhttp")
