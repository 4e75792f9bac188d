# penstock_room(NAME [LIBS third_party::x ...])
#
# Declares the room in the current folder:
#   penstock_<NAME>   static library of all *.cc below it (header-only rooms: an interface library),
#                     linked to the rooms that src/doors.txt lists for it
#   <NAME>_test       one program of all *_test.cc, every test in it known to ctest
#   <NAME>_bench      one program of all *_bench.cc, built by the target `benches`
# A new file is found by itself. A room without files yet is fine.

set(PENSTOCK_DOORS_FILE "${CMAKE_SOURCE_DIR}/src/doors.txt")
set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             "${PENSTOCK_DOORS_FILE}")
add_custom_target(tests)    # every test program, nothing else
add_custom_target(benches)  # every benchmark program

# Sets `result` to the doors of `room` whose folders exist.
function(penstock_doors room result)
  file(STRINGS "${PENSTOCK_DOORS_FILE}" lines REGEX "^[0-9]+ +${room}:")
  if(NOT lines MATCHES "^[0-9]+ +${room}:([^|#]*)")
    message(FATAL_ERROR "src/doors.txt has no line for room ${room}: add one.")
  endif()
  string(REGEX MATCHALL "[a-z_0-9]+" doors "${CMAKE_MATCH_1}")
  set(existing "")
  foreach(door IN LISTS doors)
    if(EXISTS "${CMAKE_SOURCE_DIR}/src/${door}/CMakeLists.txt")
      list(APPEND existing penstock_${door})
    endif()
  endforeach()
  set(${result} ${existing} PARENT_SCOPE)
endfunction()

# A gtest program. Its tests show up in ctest under their own names, with `LABELS` if given, and run in
# the root of the repository, so that they find tests/golden/.
function(penstock_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE penstock_options ${arg_LINK} third_party::gtest
                        GTest::gmock_main)
  add_dependencies(tests ${name})
  set(properties TIMEOUT 300)
  if(arg_LABELS)
    list(APPEND properties LABELS "${arg_LABELS}")
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" TEST_PREFIX "${name}."
                       PROPERTIES ${properties})
endfunction()

function(penstock_room name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "penstock_room(${name}): unknown argument ${arg_UNPARSED_ARGUMENTS}.")
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")

  penstock_doors(${name} doors)
  if(sources)
    add_library(penstock_${name} STATIC ${sources})
    target_link_libraries(penstock_${name} PUBLIC penstock_options ${doors} ${arg_LIBS})
  else()
    add_library(penstock_${name} INTERFACE)
    target_link_libraries(penstock_${name} INTERFACE penstock_options ${doors} ${arg_LIBS})
  endif()
  set_property(GLOBAL APPEND PROPERTY PENSTOCK_ROOM_TARGETS penstock_${name})

  if(tests)
    set(link penstock_${name})
    if(NOT name STREQUAL "testing" AND EXISTS "${CMAKE_SOURCE_DIR}/src/testing/CMakeLists.txt")
      list(APPEND link penstock_testing)
    endif()
    penstock_test(${name}_test SOURCES ${tests} LINK ${link})
  endif()

  if(benches AND benchmark_FOUND)
    add_executable(${name}_bench EXCLUDE_FROM_ALL ${benches})
    target_link_libraries(${name}_bench PRIVATE penstock_${name} penstock_testing
                          benchmark::benchmark_main)
    add_dependencies(benches ${name}_bench)
  endif()
endfunction()
