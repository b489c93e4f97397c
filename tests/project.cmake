# Checks of the project as a whole: its headers, its include directions, its use from outside.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)

add_test(NAME includes COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/check_includes.py)
add_test(NAME includes.rules
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/headers/check_includes_test.py)

# The templates of docs/adding_an_op.md, built and run as they stand there.
add_test(NAME docs.adding_an_op COMMAND ${Python3_EXECUTABLE}
  ${CMAKE_CURRENT_SOURCE_DIR}/docs/try_adding_an_op.py ${CMAKE_CXX_COMPILER}
  ${PROJECT_BINARY_DIR}/docs/adding_an_op)
set_tests_properties(docs.adding_an_op PROPERTIES TIMEOUT 900)

foreach(compiler g++ clang++)
  find_program(MIEN_${compiler} ${compiler})
  if(MIEN_${compiler})
    add_test(NAME headers.${compiler} COMMAND ${Python3_EXECUTABLE}
      ${PROJECT_SOURCE_DIR}/scripts/check_headers.py ${MIEN_${compiler}})
    set_tests_properties(headers.${compiler} PROPERTIES PROCESSORS ${cores} TIMEOUT 1200)
  else()
    message(STATUS "mien: no ${compiler} here, its check of the headers is left out")
  endif()
endforeach()

foreach(way package subdirectory pkg_config headers)
  add_test(NAME consumer.${way} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/consumer/check.sh ${way}
    ${CMAKE_CXX_COMPILER} ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/consumer/${way}
    ${PROJECT_BINARY_DIR})
  set_tests_properties(consumer.${way} PROPERTIES TIMEOUT 1800
    ENVIRONMENT CMAKE_GENERATOR=${CMAKE_GENERATOR})  # the one that this machine has
endforeach()
