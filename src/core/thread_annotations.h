// Names for Clang's thread-safety attributes; empty for other compilers.
//
// The `clang` preset builds with -Werror=thread-safety, so that touching a guarded member without
// its mutex does not compile. Source: Clang "Thread Safety Analysis".
#pragma once

#if defined(__clang__)
#define PENSTOCK_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define PENSTOCK_THREAD_ATTRIBUTE(x)
#endif

#define PENSTOCK_CAPABILITY(x) PENSTOCK_THREAD_ATTRIBUTE(capability(x))
#define PENSTOCK_SCOPED_CAPABILITY PENSTOCK_THREAD_ATTRIBUTE(scoped_lockable)
#define PENSTOCK_GUARDED_BY(x) PENSTOCK_THREAD_ATTRIBUTE(guarded_by(x))
#define PENSTOCK_REQUIRES(...) PENSTOCK_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define PENSTOCK_ACQUIRE(...) PENSTOCK_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define PENSTOCK_TRY_ACQUIRE(...) PENSTOCK_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define PENSTOCK_RELEASE(...) PENSTOCK_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define PENSTOCK_NO_THREAD_ANALYSIS PENSTOCK_THREAD_ATTRIBUTE(no_thread_safety_analysis)
