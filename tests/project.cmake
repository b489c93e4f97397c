# Checks of the project as a whole: its headers, its include directions, its use from outside.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)

add_test(NAME includes COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/check_includes.py)
add_test(NAME includes.rules
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/headers/check_includes_test.py)

add_test(NAME bench.cuda_report
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/bench/cuda_report_test.py)

# The code of these pages, built and run as it stands there.
foreach(page adding_an_op training)
  add_test(NAME docs.${page} COMMAND ${Python3_EXECUTABLE}
    ${CMAKE_CURRENT_SOURCE_DIR}/docs/try_page.py ${PROJECT_SOURCE_DIR}/docs/${page}.md
    ${CMAKE_CXX_COMPILER} ${PROJECT_BINARY_DIR}/docs/${page})
  set_tests_properties(docs.${page} PROPERTIES TIMEOUT 900)
endforeach()

# By one compiler, since whether a header includes what it uses depends on the library: by clang++,
# where it is, because g++ compiles all the rest here.
find_program(MIEN_HEADERS_COMPILER NAMES clang++ g++ c++ REQUIRED)
add_test(NAME headers COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/check_headers.py
  ${MIEN_HEADERS_COMPILER})
set_tests_properties(headers PROPERTIES PROCESSORS ${cores} TIMEOUT 1200)

# What scripts/gpu_suite.sh builds can be configured where nothing else of mien can.
if(MIEN_CUDA_FOUND)
  set(absent JPEG PNG ZLIB CLI11 nlohmann_json)
  list(TRANSFORM absent REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=ON")
  add_test(NAME configure.gpu COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR}
    -B ${PROJECT_BINARY_DIR}/configure_gpu -G ${CMAKE_GENERATOR} -DMIEN_CUDA=ONLY
    -DCMAKE_CUDA_ARCHITECTURES=90-real -DMIEN_DEPS=${MIEN_DEPS} ${absent})
endif()

set(ways package subdirectory pkg_config headers)
if(MIEN_CUDA_FOUND)
  list(APPEND ways cuda_package cuda_subdirectory cuda_pkg_config cuda_headers)
endif()
foreach(way ${ways})
  add_test(NAME consumer.${way} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/consumer/check.sh ${way}
    ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/consumer/${way}
    ${PROJECT_BINARY_DIR})
  set_tests_properties(consumer.${way} PROPERTIES TIMEOUT 1800
    ENVIRONMENT CMAKE_GENERATOR=${CMAKE_GENERATOR})  # the one that this machine has
endforeach()
