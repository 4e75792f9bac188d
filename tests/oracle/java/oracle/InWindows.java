package oracle;

import static oracle.Kit.LONG;
import static oracle.Kit.STRING;

import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/** How results of windows and sessions are written to a topic. */
final class InWindows {
    private InWindows() {}

    static Produced<Windowed<String>, Long> longs(long size) {
        return Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, size), LONG);
    }

    static Produced<Windowed<String>, String> texts(long size) {
        return Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, size), STRING);
    }

    static Produced<Windowed<String>, Long> sessionLongs() {
        return Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), LONG);
    }

    static Produced<Windowed<String>, String> sessionTexts() {
        return Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), STRING);
    }
}
