// What librdkafka's configure script would find on Debian 12 with g++ or clang, x86-64 or arm64.
//
// Its sources include it as "../config.h": beside this file lies a folder that is on their include
// path. Left out on purpose: plug-ins, Kerberos (Cyrus SASL) and OIDC (curl). What is left out must
// not be defined at all, not even as 0.
#pragma once

#define SOLIB_EXT ".so"
#if defined(__x86_64__)
#define ARCH "x86_64"
#else
#define ARCH "other"
#endif
#define CPU "generic"
#define ENABLE_DEVEL 0
#define ENABLE_REFCNT_DEBUG 0
#define ENABLE_VALGRIND 0

#define HAVE_ATOMICS_32 1
#define HAVE_ATOMICS_32_ATOMIC 1
#define ATOMIC_OP32(OP1, OP2, PTR, VAL) __atomic_##OP1##_##OP2(PTR, VAL, __ATOMIC_SEQ_CST)
#define HAVE_ATOMICS_64 1
#define HAVE_ATOMICS_64_ATOMIC 1
#define ATOMIC_OP64(OP1, OP2, PTR, VAL) __atomic_##OP1##_##OP2(PTR, VAL, __ATOMIC_SEQ_CST)
#define ATOMIC_OP(OP1, OP2, PTR, VAL) __atomic_##OP1##_##OP2(PTR, VAL, __ATOMIC_SEQ_CST)

#define WITH_C11THREADS 1
#define WITH_ZLIB 1
#define WITH_SSL 1
#define OPENSSL_SUPPRESS_DEPRECATED "OPENSSL_SUPPRESS_DEPRECATED"
#define WITH_ZSTD 1
#define WITH_HDRHISTOGRAM 1
#define WITH_LZ4_EXT 1
#define WITH_SNAPPY 1
#define WITH_SASL_SCRAM 1
#define WITH_SASL_OAUTHBEARER 1
#if defined(__x86_64__)
#define WITH_CRC32C_HW 1
#endif
#define HAVE_REGEX 1
#define HAVE_RAND_R 1
#define HAVE_GETENTROPY 1
#define HAVE_STRNDUP 1
#define HAVE_STRERROR_R 1
#define HAVE_STRCASESTR 1
#define HAVE_PTHREAD_SETNAME_GNU 1
#define HAVE_GETRUSAGE 1

#define RDKAFKA_VERSION_STR "2.15.1"
#define MKL_APP_VERSION "2.15.1"
#define BUILT_WITH \
  "C11THREADS ZLIB SSL ZSTD HDRHISTOGRAM LZ4_EXT SNAPPY SASL_SCRAM SASL_OAUTHBEARER CRC32C_HW"
