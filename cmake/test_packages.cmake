# GoogleTest and Google Benchmark: the system's, else those that scripts/vendor_deps.sh unpacked.
set(MIEN_DEPS ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Folder filled by scripts/vendor_deps.sh, for machines without these packages")

macro(mien_find_benchmark)
  find_package(benchmark QUIET ${ARGN} PATHS ${MIEN_DEPS}/usr)
endmacro()

# From its sources: a static library of another system need not link here.
function(mien_find_gtest)
  find_package(GTest QUIET)
  if(GTest_FOUND)
    return()
  endif()
  set(sources ${MIEN_DEPS}/usr/src/googletest)
  if(NOT EXISTS ${sources}/CMakeLists.txt)
    message(FATAL_ERROR "mien: no GoogleTest here: scripts/install_deps.sh installs it, or run "
      "scripts/vendor_deps.sh on another machine and bring its folder along (MIEN_DEPS)")
  endif()
  set(BUILD_GMOCK OFF)
  set(INSTALL_GTEST OFF)
  set(CMAKE_POLICY_VERSION_MINIMUM 3.25.1)  # CMake 4 says that theirs is old
  add_subdirectory(${sources} ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
endfunction()
