# Target portcullis_version: the header "portcullis_version.h" with kVersion and kCommit. The commit is taken at
# configure time; outside of a git checkout it is what -DPORTCULLIS_COMMIT says, or "unknown".
set(PORTCULLIS_COMMIT "unknown" CACHE STRING "The commit that is built, where there is no git checkout to ask")
find_program(PORTCULLIS_GIT git)
if(PORTCULLIS_GIT AND EXISTS "${PROJECT_SOURCE_DIR}/.git")
  execute_process(
    COMMAND "${PORTCULLIS_GIT}" -c "safe.directory=*" -C "${PROJECT_SOURCE_DIR}" rev-parse --short=12 HEAD
    OUTPUT_VARIABLE _commit OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE _result ERROR_QUIET)
  if(_result EQUAL 0 AND _commit)
    set(PORTCULLIS_COMMIT "${_commit}")
  endif()
endif()

configure_file("${CMAKE_CURRENT_LIST_DIR}/portcullis_version.h.in"
  "${PROJECT_BINARY_DIR}/generated/portcullis_version.h" @ONLY)
add_library(portcullis_version INTERFACE)
target_include_directories(portcullis_version INTERFACE "${PROJECT_BINARY_DIR}/generated")
