# Whether mien::cuda is built, and by which compiler: MIEN_CUDA_FOUND.
set(MIEN_CUDA AUTO CACHE STRING "Build mien::cuda by nvcc: AUTO (where it is), ON or OFF")
set_property(CACHE MIEN_CUDA PROPERTY STRINGS AUTO ON OFF)
set(MIEN_CUDA_ARCHITECTURES "80-real;90-real;100" CACHE STRING "What mien::cuda is compiled for")

set(MIEN_CUDA_FOUND OFF)
if(MIEN_CUDA)
  include(CheckLanguage)
  set(CMAKE_CUDA_ARCHITECTURES 90)  # of the check alone
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER OR NOT MIEN_CUDA STREQUAL AUTO)
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED GLOBAL)
    set(MIEN_CUDA_FOUND ON)
  endif()
endif()

# mien_compile_cuda(TARGET): how nvcc compiles the .cu files of a target.
function(mien_compile_cuda target)
  # CMake 3.25.1 does not know CUDA_STANDARD 20 of nvcc.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20
    -Xcompiler=-Wall,-Wextra $<$<BOOL:${MIEN_WERROR}>:-Werror=all-warnings>>)
  set_target_properties(${target} PROPERTIES CUDA_ARCHITECTURES "${MIEN_CUDA_ARCHITECTURES}")
endfunction()
