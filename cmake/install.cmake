# Installation: the header trees merged, the exported targets by component, pkg-config files.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/mien kernels/mien weights_tools/include/mien
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.inl" PATTERN "*.cuh")

set(MIEN_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mien)
install(TARGETS mien EXPORT mien-core)
install(EXPORT mien-core NAMESPACE mien:: DESTINATION ${MIEN_CMAKE_DIR})
set(pc_files mien)
foreach(component compiled cuda image weights)
  if(TARGET mien_${component})
    install(TARGETS mien_${component} EXPORT mien-${component})
    install(EXPORT mien-${component} NAMESPACE mien:: DESTINATION ${MIEN_CMAKE_DIR})
    list(APPEND pc_files mien-${component})
  endif()
endforeach()

configure_package_config_file(cmake/mien-config.cmake.in mien-config.cmake
  INSTALL_DESTINATION ${MIEN_CMAKE_DIR}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(mien-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mien-config.cmake ${PROJECT_BINARY_DIR}/mien-config-version.cmake
  DESTINATION ${MIEN_CMAKE_DIR})

# The prefix is found from the .pc file's own place, so that an installed tree can be moved.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH MIEN_PC_TO_PREFIX /prefix/${pc_dir} /prefix)
list(TRANSFORM MIEN_IMAGE_PACKAGES PREPEND lib OUTPUT_VARIABLE pc_packages)
string(TOLOWER "mien;${pc_packages}" pc_packages)
list(JOIN pc_packages " " MIEN_IMAGE_PC_REQUIRES)
list(GET CUDAToolkit_INCLUDE_DIRS 0 MIEN_CUDA_INCLUDE_DIR)
foreach(name ${pc_files})
  configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pc_dir})
endforeach()

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
