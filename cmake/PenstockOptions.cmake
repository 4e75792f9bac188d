# Language, warnings, sanitizers, optimisation: everything that is the same for all our targets.
# Our own code links `penstock_options`; third-party code does not.

option(PENSTOCK_WERROR "Treat warnings as errors" OFF)
option(PENSTOCK_THREAD_SAFETY "Clang's thread-safety analysis, as errors" OFF)
option(PENSTOCK_FUZZ "Build fuzz targets with libFuzzer (needs clang)" OFF)
option(PENSTOCK_COVERAGE "Instrument for gcov" OFF)
option(PENSTOCK_LTO "Link-time optimisation" OFF)
option(PENSTOCK_MIMALLOC "Make mimalloc the allocator of the penstock program" OFF)
set(PENSTOCK_SANITIZE "" CACHE STRING "Comma-separated sanitizers, for example address,undefined")
set(PENSTOCK_MARCH "x86-64-v2" CACHE STRING
    "Instruction set baseline on x86-64; \"native\" for a binary that stays on this machine")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Nothing of ours is loaded by others. Hidden symbols also keep our simdjson apart from the copy that
# libparquet exports.
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O3 -g1 -DNDEBUG")
# C is librdkafka only.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O3 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_C_VISIBILITY_PRESET hidden)

find_program(PENSTOCK_CCACHE ccache)
if(PENSTOCK_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the source folder count as relative, so that two working copies share results.
  set(CMAKE_CXX_COMPILER_LAUNCHER env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "${PENSTOCK_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

find_program(PENSTOCK_MOLD mold)
if(PENSTOCK_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# These go to every target, third-party ones included, or the program would not link or not agree.
if(PENSTOCK_MARCH AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=${PENSTOCK_MARCH})
endif()
if(PENSTOCK_SANITIZE)
  add_compile_options(-fsanitize=${PENSTOCK_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PENSTOCK_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # clang 14 cannot emit this check for coroutines ("difference across sections").
    add_compile_options(-fno-sanitize=function)
  elseif(PENSTOCK_SANITIZE STREQUAL "address,undefined")
    # As shared libraries they share their printing, and what UBSan finds is not written to its log_path.
    add_link_options(-static-libasan -static-libubsan)
  endif()
endif()
if(PENSTOCK_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(PENSTOCK_LTO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
if(PENSTOCK_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "PENSTOCK_FUZZ needs clang: configure with `cmake --preset fuzz`.")
endif()

find_package(Threads REQUIRED)

add_library(penstock_options INTERFACE)
target_include_directories(penstock_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_link_libraries(penstock_options INTERFACE Threads::Threads)
target_compile_options(penstock_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
    # Designated initialisers name what differs from the default; that is their point.
    -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Part of clang's -Wconversion, not of g++'s: one rule for both.
  target_compile_options(penstock_options INTERFACE -Wno-sign-conversion)
else()
  # g++ 12 sees these where there is nothing: restrict in std::string's operator+ (GCC bug 105651),
  # the others where it has optimised or instrumented first. They stay visible, they do not stop.
  target_compile_options(penstock_options INTERFACE -Wno-restrict)
  set(PENSTOCK_NOT_ERRORS -Wno-error=array-bounds -Wno-error=maybe-uninitialized
      -Wno-error=stringop-overflow -Wno-error=stringop-overread)
endif()
if(PENSTOCK_WERROR)
  target_compile_options(penstock_options INTERFACE -Werror ${PENSTOCK_NOT_ERRORS})
endif()
if(PENSTOCK_FUZZ)
  target_compile_options(penstock_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(penstock_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(PENSTOCK_THREAD_SAFETY)
  target_compile_options(penstock_options INTERFACE -Wthread-safety -Werror=thread-safety)
endif()
