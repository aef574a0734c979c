# Target portcullis_version: the header "portcullis_version.h" with kVersion and kCommit. The commit is taken at
# configure time, and a build configures anew once HEAD has moved; outside of a git checkout it is what
# -DPORTCULLIS_COMMIT says, or "unknown".
set(PORTCULLIS_COMMIT "unknown" CACHE STRING "The commit that is built, where there is no git checkout to ask")
find_program(PORTCULLIS_GIT git)
if(PORTCULLIS_GIT AND EXISTS "${PROJECT_SOURCE_DIR}/.git")
  execute_process(
    COMMAND "${PORTCULLIS_GIT}" -c "safe.directory=*" -C "${PROJECT_SOURCE_DIR}" rev-parse --short=12 HEAD
    OUTPUT_VARIABLE _commit OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _result ERROR_QUIET)
  if(_result EQUAL 0 AND _commit)
    set(PORTCULLIS_COMMIT "${_commit}")
  endif()
  # Git writes a line there whenever HEAD comes to name another commit. A work tree of its own has its own.
  execute_process(
    COMMAND "${PORTCULLIS_GIT}" -c "safe.directory=*" -C "${PROJECT_SOURCE_DIR}" rev-parse --git-path logs/HEAD
    OUTPUT_VARIABLE _moves OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  get_filename_component(_moves "${_moves}" ABSOLUTE BASE_DIR "${PROJECT_SOURCE_DIR}")
  if(EXISTS "${_moves}" AND NOT IS_DIRECTORY "${_moves}")
    set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_moves}")
  endif()
endif()

configure_file("${CMAKE_CURRENT_LIST_DIR}/portcullis_version.h.in"
  "${PROJECT_BINARY_DIR}/generated/portcullis_version.h" @ONLY)
add_library(portcullis_version INTERFACE)
target_include_directories(portcullis_version INTERFACE "${PROJECT_BINARY_DIR}/generated")
