# Whether mien::cuda is built: MIEN_CUDA_FOUND. Another project's build does not pay for it unasked.
set(default OFF)
if(PROJECT_IS_TOP_LEVEL)
  set(default AUTO)
endif()
set(MIEN_CUDA ${default} CACHE STRING "Build mien::cuda by nvcc: AUTO (where it is), ON, OFF, or ONLY (mien::cuda with its tests and benchmarks, nothing else)")
set_property(CACHE MIEN_CUDA PROPERTY STRINGS AUTO ON OFF ONLY)
unset(default)

set(MIEN_CUDA_FOUND OFF)
if(MIEN_CUDA)
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100)
  endif()
  include(CheckLanguage)
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
endfunction()
