package oracle;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** How the bytes of keys and values are written in a trace. */
enum Format {
    TEXT, NUMBER, WINDOW, SESSION, BYTES;

    String show(byte[] bytes) {
        if (bytes == null) {
            return orNull(null);
        }
        return switch (this) {
            case TEXT -> text(bytes, bytes.length);
            case NUMBER -> Long.toString(ByteBuffer.wrap(bytes).getLong());
            case WINDOW -> window(text(bytes, bytes.length - 8), number(bytes, bytes.length - 8));
            case SESSION -> session(text(bytes, bytes.length - 16), number(bytes, bytes.length - 8),
                number(bytes, bytes.length - 16));
            case BYTES -> bytes.length == 0 ? "''" : HexFormat.of().formatHex(bytes);
        };
    }

    static String window(String key, long start) {
        return key + "[" + start + "]";
    }

    static String session(String key, long start, long end) {
        return key + "[" + start + ".." + end + "]";
    }

    static String orNull(String text) {
        return text == null ? "null" : text.isEmpty() ? "''" : text;
    }

    private static String text(byte[] bytes, int size) {
        return orNull(new String(bytes, 0, size, StandardCharsets.UTF_8));
    }

    private static long number(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).getLong(at);
    }
}
