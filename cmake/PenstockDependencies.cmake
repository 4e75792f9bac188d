# Third-party libraries as targets `third_party::<name>`. Which room may use which is in src/doors.txt.
# Debian packages come from tools/setup; Arrow and simdjson are unpacked by it below PENSTOCK_DEPS.

if(DEFINED ENV{PENSTOCK_DEPS})
  set(penstock_deps_default "$ENV{PENSTOCK_DEPS}")
else()
  set(penstock_deps_default "${CMAKE_SOURCE_DIR}/.deps")
endif()
set(PENSTOCK_DEPS "${penstock_deps_default}" CACHE PATH "Where tools/setup unpacked Arrow and simdjson")

# Defines third_party::<name> for a library that comes as one header and one library file.
function(penstock_system_library name library header)
  find_library(PENSTOCK_LIB_${name} ${library})
  find_path(PENSTOCK_INC_${name} ${header})
  if(NOT PENSTOCK_LIB_${name} OR NOT PENSTOCK_INC_${name})
    message(FATAL_ERROR "lib${library} or <${header}> is missing: run tools/setup.")
  endif()
  mark_as_advanced(PENSTOCK_LIB_${name} PENSTOCK_INC_${name})
  add_library(third_party::${name} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(third_party::${name} PROPERTIES IMPORTED_LOCATION
                        "${PENSTOCK_LIB_${name}}")
endfunction()

function(penstock_require_file path)
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "${path} is missing: run tools/setup.")
  endif()
endfunction()

penstock_system_library(isal isal isa-l/crc.h)
penstock_system_library(lz4 lz4 lz4.h)
penstock_system_library(zstd zstd zstd.h)
penstock_system_library(snappy snappy snappy.h)
penstock_system_library(zlib z zlib.h)
penstock_system_library(rocksdb rocksdb rocksdb/db.h)
penstock_system_library(ssl ssl openssl/ssl.h)
penstock_system_library(crypto crypto openssl/crypto.h)
penstock_system_library(sqlite3 sqlite3 sqlite3.h)

find_library(PENSTOCK_LIB_libpq pq)
find_path(PENSTOCK_INC_libpq libpq-fe.h PATH_SUFFIXES postgresql)
if(NOT PENSTOCK_LIB_libpq OR NOT PENSTOCK_INC_libpq)
  message(FATAL_ERROR "libpq or <libpq-fe.h> is missing: run tools/setup.")
endif()
add_library(third_party::libpq UNKNOWN IMPORTED GLOBAL)
set_target_properties(third_party::libpq PROPERTIES IMPORTED_LOCATION "${PENSTOCK_LIB_libpq}"
                      INTERFACE_INCLUDE_DIRECTORIES "${PENSTOCK_INC_libpq}")

# Header-only and without exceptions: a parse error is a value, as everywhere in our code.
find_path(PENSTOCK_INC_toml toml++/toml.h REQUIRED)
add_library(third_party_toml INTERFACE)
target_compile_definitions(third_party_toml INTERFACE TOML_HEADER_ONLY=1 TOML_EXCEPTIONS=0)
add_library(third_party::toml ALIAS third_party_toml)

# Asio and Beast are compiled once, in third_party/boost_impl.cc, instead of in every file.
find_path(PENSTOCK_INC_boost boost/asio/awaitable.hpp REQUIRED)
file(STRINGS "${PENSTOCK_INC_boost}/boost/version.hpp" boost_version REGEX "#define BOOST_VERSION ")
if(NOT boost_version MATCHES "([0-9]+)$" OR CMAKE_MATCH_1 LESS 108100)
  message(FATAL_ERROR "Boost 1.81 or newer is needed, found ${boost_version}: run tools/setup.")
endif()
add_library(third_party_boost STATIC EXCLUDE_FROM_ALL third_party/boost_impl.cc)
target_compile_definitions(third_party_boost PUBLIC
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(PENSTOCK_SANITIZE MATCHES "thread")
  # ThreadSanitizer does not understand fences; Asio's locks order the same accesses.
  target_compile_definitions(third_party_boost PUBLIC BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
target_link_libraries(third_party_boost PUBLIC Threads::Threads third_party::ssl third_party::crypto)
add_library(third_party::boost ALIAS third_party_boost)

# libparquet exports its own simdjson. Ours has hidden symbols and goes into each program as an object
# file, ahead of all libraries, so that neither sees the other.
set(PENSTOCK_SIMDJSON "${PENSTOCK_DEPS}/simdjson-3.12.3")
penstock_require_file("${PENSTOCK_SIMDJSON}/simdjson.cpp")
add_library(simdjson_objects OBJECT EXCLUDE_FROM_ALL "${PENSTOCK_SIMDJSON}/simdjson.cpp")
target_include_directories(simdjson_objects SYSTEM PUBLIC "${PENSTOCK_SIMDJSON}")
target_compile_definitions(simdjson_objects PUBLIC SIMDJSON_EXCEPTIONS=0)
# Its vector code, inlined in thousands of places, takes minutes with a check at each of them.
target_compile_options(simdjson_objects PRIVATE $<$<CONFIG:Debug>:-O2> -fno-sanitize=undefined)
add_library(third_party_simdjson INTERFACE)
target_include_directories(third_party_simdjson SYSTEM INTERFACE "${PENSTOCK_SIMDJSON}")
target_compile_definitions(third_party_simdjson INTERFACE SIMDJSON_EXCEPTIONS=0)
target_link_libraries(third_party_simdjson INTERFACE "$<TARGET_OBJECTS:simdjson_objects>")
add_library(third_party::simdjson ALIAS third_party_simdjson)

find_path(PENSTOCK_INC_nlohmann nlohmann/json.hpp REQUIRED)
add_library(third_party_nlohmann INTERFACE)
add_library(third_party::nlohmann ALIAS third_party_nlohmann)

# Arrow and Parquet from the pyarrow wheel: no CMake files and no .so symlinks in there.
set(PENSTOCK_ARROW "${PENSTOCK_DEPS}/arrow-26.0.1")
foreach(library IN ITEMS arrow parquet)
  penstock_require_file("${PENSTOCK_ARROW}/lib${library}.so.2600")
  add_library(third_party::${library} SHARED IMPORTED GLOBAL)
  set_target_properties(third_party::${library} PROPERTIES
      IMPORTED_LOCATION "${PENSTOCK_ARROW}/lib${library}.so.2600"
      IMPORTED_SONAME "lib${library}.so.2600"
      INTERFACE_INCLUDE_DIRECTORIES "${PENSTOCK_ARROW}/include")
endforeach()
set_property(TARGET third_party::parquet PROPERTY INTERFACE_LINK_LIBRARIES third_party::arrow)
# libparquet exports an OpenSSL of its own, too. The system's goes ahead of it, or calls within that one
# would end up in this one, and crash.
set_property(TARGET third_party::parquet PROPERTY INTERFACE_LINK_OPTIONS
             "LINKER:--no-as-needed;${PENSTOCK_LIB_ssl};${PENSTOCK_LIB_crypto}")
if(PENSTOCK_SANITIZE MATCHES "undefined")
  # Arrow's templates have their type information in libarrow and once more in our hidden symbols.
  # This check takes the one for a stranger to the other.
  set_property(TARGET third_party::arrow PROPERTY INTERFACE_COMPILE_OPTIONS -fno-sanitize=vptr)
endif()

# librdkafka, whose own CMake files are not in the package that its sources come from. Debian's 2.0.2
# lacks repairs that exactly once needs (docs/adr/0019-kafka-as-the-log.md).
set(PENSTOCK_LIBRDKAFKA "${PENSTOCK_DEPS}/librdkafka-2.15.1")
penstock_require_file("${PENSTOCK_LIBRDKAFKA}/src/rdkafka.h")
# What is compiled is a copy with repairs; each says itself what it mends.
set(librdkafka_copy "${CMAKE_BINARY_DIR}/librdkafka")
set(librdkafka_repairs "${CMAKE_SOURCE_DIR}/third_party/librdkafka/coordinator-timeout.patch"
    "${CMAKE_SOURCE_DIR}/third_party/librdkafka/producer-wakeup.patch")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${librdkafka_repairs})
set(librdkafka_stamp "")
foreach(repair ${librdkafka_repairs})
  file(SHA256 "${repair}" hash)
  string(APPEND librdkafka_stamp "${hash}\n")
endforeach()
if(EXISTS "${librdkafka_copy}/repairs")
  file(READ "${librdkafka_copy}/repairs" librdkafka_repaired)
endif()
if(NOT librdkafka_repaired STREQUAL librdkafka_stamp)
  file(REMOVE_RECURSE "${librdkafka_copy}")
  file(COPY "${PENSTOCK_LIBRDKAFKA}/src" DESTINATION "${librdkafka_copy}")
  foreach(repair ${librdkafka_repairs})
    execute_process(COMMAND patch --quiet --strip=1 "--input=${repair}"
                    WORKING_DIRECTORY "${librdkafka_copy}" RESULT_VARIABLE failed)
    if(failed)
      message(FATAL_ERROR "${repair} does not fit ${PENSTOCK_LIBRDKAFKA}")
    endif()
  endforeach()
  file(WRITE "${librdkafka_copy}/repairs" "${librdkafka_stamp}")
endif()
file(GLOB librdkafka_sources CONFIGURE_DEPENDS "${librdkafka_copy}/src/*.c"
     "${librdkafka_copy}/src/nanopb/*.c" "${librdkafka_copy}/src/opentelemetry/*.c")
list(FILTER librdkafka_sources EXCLUDE REGEX
     "/(lz4|lz4frame|lz4hc|regexp|rddl|rdhttp|rdkafka_plugin|rdkafka_sasl_(cyrus|win32|oauthbearer_oidc))\\.c$")
add_library(librdkafka STATIC EXCLUDE_FROM_ALL ${librdkafka_sources})
target_compile_definitions(librdkafka PUBLIC LIBRDKAFKA_STATICLIB)
# Its sources include "../config.h".
configure_file("${CMAKE_SOURCE_DIR}/third_party/librdkafka/config.h"
               "${librdkafka_copy}/config.h" COPYONLY)
target_include_directories(librdkafka PRIVATE "${librdkafka_copy}/src")
# Its users include <librdkafka/rdkafka.h>, as where it is installed.
configure_file("${librdkafka_copy}/src/rdkafka.h"
               "${CMAKE_BINARY_DIR}/include/librdkafka/rdkafka.h" COPYONLY)
target_include_directories(librdkafka SYSTEM INTERFACE "${CMAKE_BINARY_DIR}/include")
# Not ours to mend: no warnings, and no checks of undefined behaviour that it relies on.
target_compile_options(librdkafka PRIVATE -w -fno-sanitize=undefined)
target_link_libraries(librdkafka PUBLIC third_party::ssl third_party::crypto third_party::zlib
                      third_party::zstd third_party::lz4 Threads::Threads m)
add_library(third_party::librdkafka ALIAS librdkafka)
# What coordinator-timeout.patch changes as it was before: linked ahead of the above, to test the repair.
add_library(librdkafka_unrepaired OBJECT EXCLUDE_FROM_ALL "${PENSTOCK_LIBRDKAFKA}/src/rdkafka.c"
            "${PENSTOCK_LIBRDKAFKA}/src/rdkafka_coord.c")
target_include_directories(librdkafka_unrepaired PRIVATE "${librdkafka_copy}/src")
target_compile_definitions(librdkafka_unrepaired PRIVATE LIBRDKAFKA_STATICLIB)
target_compile_options(librdkafka_unrepaired PRIVATE -w -fno-sanitize=undefined)

# hiredis with TLS, out of its Python client. Debian's 0.14 knows neither RESP3 nor TLS.
set(PENSTOCK_HIREDIS "${PENSTOCK_DEPS}/hiredis-1.5.0")
penstock_require_file("${PENSTOCK_HIREDIS}/hiredis/hiredis_ssl.h")
set(hiredis_sources alloc async hiredis net read sds ssl)
list(TRANSFORM hiredis_sources REPLACE "(.+)" "${PENSTOCK_HIREDIS}/hiredis/\\1.c")
add_library(hiredis STATIC EXCLUDE_FROM_ALL ${hiredis_sources})
target_include_directories(hiredis SYSTEM INTERFACE "${PENSTOCK_HIREDIS}")
target_compile_options(hiredis PRIVATE -w -fno-sanitize=undefined)
target_link_libraries(hiredis PUBLIC third_party::ssl third_party::crypto)
add_library(third_party::hiredis ALIAS hiredis)

# For tests: the files of JSONTestSuite.
set(PENSTOCK_JSON_TEST_SUITE "${PENSTOCK_DEPS}/json-test-suite/test_parsing")

find_package(CLI11 REQUIRED)
add_library(third_party::cli11 ALIAS CLI11::CLI11)

# Linked first, it replaces malloc of the whole program. Sanitizers bring their own.
if(PENSTOCK_MIMALLOC AND NOT PENSTOCK_SANITIZE)
  penstock_system_library(mimalloc mimalloc mimalloc.h)
endif()

find_package(GTest REQUIRED)
add_library(third_party_gtest INTERFACE)
target_link_libraries(third_party_gtest INTERFACE GTest::gtest GTest::gmock)
add_library(third_party::gtest ALIAS third_party_gtest)

find_package(benchmark QUIET)
