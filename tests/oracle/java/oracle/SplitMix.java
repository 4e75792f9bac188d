package oracle;

import java.nio.charset.StandardCharsets;

/** SplitMix64: small enough that two languages agree on it. The C++ side is seeded_random.h. */
final class SplitMix {
    private long state;

    SplitMix(long seed) {
        state = seed;
    }

    long next() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** A number in [0, bound). */
    long below(long bound) {
        return Long.remainderUnsigned(next(), bound);
    }

    boolean percent(int share) {
        return below(100) < share;
    }

    /** FNV-1a, 64 bits, of the text in UTF-8. */
    static long fnv(String text) {
        return fnv(0xCBF29CE484222325L, text);
    }

    /** Goes on from an earlier hash. */
    static long fnv(long hash, String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
        }
        return hash;
    }
}
