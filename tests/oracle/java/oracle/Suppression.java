package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.SESSION;
import static oracle.Format.TEXT;
import static oracle.Format.WINDOW;
import static oracle.Kit.GROUP;
import static oracle.Kit.WRITE;
import static oracle.Kit.WRITE_LONG;
import static oracle.Kit.ms;
import static oracle.Kit.number;
import static oracle.Kit.numberSessions;
import static oracle.Kit.numberWindows;
import static oracle.Kit.stream;
import static oracle.Kit.table;
import static oracle.Program.StoreKind.WINDOWS;
import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.maxRecords;
import static org.apache.kafka.streams.kstream.Suppressed.BufferConfig.unbounded;
import static org.apache.kafka.streams.kstream.Suppressed.untilTimeLimit;
import static org.apache.kafka.streams.kstream.Suppressed.untilWindowCloses;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.SessionStore;

/** Tables that hold updates back. */
final class Suppression {
    private Suppression() {}

    static void addTo(Catalog catalog) {
        TimeWindows tumbling = TimeWindows.ofSizeAndGrace(ms(1000), ms(600));
        catalog.add("suppress_tumbling").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(b -> finalCounts(b, tumbling));
        catalog.add("suppress_tumbling_no_grace").input("in").output(WINDOW, NUMBER)
            .build(b -> finalCounts(b, TimeWindows.ofSizeWithNoGrace(ms(1000))));
        catalog.add("suppress_hopping").input("in").output(WINDOW, NUMBER)
            .build(b -> finalCounts(b, tumbling.advanceBy(ms(250))));
        catalog.add("suppress_hopping_cached").input("in").output(WINDOW, NUMBER).cached()
            .build(b -> finalCounts(b, tumbling.advanceBy(ms(250))));
        catalog.add("suppress_session").input("in").output(SESSION, NUMBER)
            .build(b -> finalSessions(b, numberSessions("counts")));
        // Kept longer than any input lasts: see Sessions.
        catalog.add("suppress_session_cached").input("in").output(SESSION, NUMBER).cached()
            .build(b -> finalSessions(b, numberSessions("counts").withRetention(Kit.KEPT)));
        catalog.add("suppress_sliding").input("in").output(WINDOW, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(700), ms(900))).count(numberWindows("counts"))
                .suppress(untilWindowCloses(unbounded())).toStream().to("out", InWindows.longs(700)));
        catalog.add("suppress_time_limit").table("in").output(TEXT, TEXT)
            .build(b -> limited(b, untilTimeLimit(ms(700), unbounded())));
        catalog.add("suppress_time_limit_cached").table("in").output(TEXT, TEXT).cached()
            .build(b -> limited(b, untilTimeLimit(ms(700), unbounded())));
        catalog.add("suppress_time_limit_zero").table("in").output(TEXT, TEXT)
            .build(b -> limited(b, untilTimeLimit(ms(0), unbounded())));
        catalog.add("suppress_record_bound").table("in").output(TEXT, TEXT)
            .build(b -> limited(b, untilTimeLimit(ms(3000), maxRecords(2))));
        catalog.add("suppress_headers").table("in").with(p -> p.headers = true).output(TEXT, TEXT)
            .build(b -> limited(b, untilTimeLimit(ms(700), unbounded())));
        // What was held back reaches a second aggregation as pairs of old and new.
        catalog.add("suppress_then_group").table("in").output(TEXT, NUMBER)
            .build(b -> table(b, "in").suppress(untilTimeLimit(ms(700), unbounded()))
                .groupBy((k, v) -> KeyValue.pair(Kit.letter(v), Kit.numberOf(v)), Grouped.with(Kit.STRING, Kit.LONG))
                .aggregate(() -> 0L, (k, v, sum) -> sum + v, (k, v, sum) -> sum - v, number("sums")).toStream()
                .to("out", WRITE_LONG));
        catalog.add("suppress_count").input("in").output(TEXT, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).count(number("counts"))
                .suppress(untilTimeLimit(ms(1000), unbounded())).toStream().to("out", WRITE_LONG));
    }

    private static void finalCounts(StreamsBuilder builder, TimeWindows windows) {
        stream(builder, "in").groupByKey(GROUP).windowedBy(windows).count(numberWindows("counts"))
            .suppress(untilWindowCloses(unbounded())).toStream().to("out", InWindows.longs(windows.size()));
    }

    private static void finalSessions(StreamsBuilder builder,
            Materialized<String, Long, SessionStore<Bytes, byte[]>> counts) {
        stream(builder, "in").groupByKey(GROUP)
            .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(500), ms(800))).count(counts)
            .suppress(untilWindowCloses(unbounded())).toStream().to("out", InWindows.sessionLongs());
    }

    private static void limited(StreamsBuilder builder, Suppressed<? super String> until) {
        table(builder, "in").suppress(until).toStream().to("out", WRITE);
    }
}
