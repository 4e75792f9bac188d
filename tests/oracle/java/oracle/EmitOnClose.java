package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.SESSION;
import static oracle.Format.WINDOW;
import static oracle.Kit.GROUP;
import static oracle.Kit.ms;
import static oracle.Kit.numberSessions;
import static oracle.Kit.numberWindows;
import static oracle.Kit.stream;
import static oracle.Program.StoreKind.SESSIONS;
import static oracle.Program.StoreKind.WINDOWS;
import static org.apache.kafka.streams.kstream.EmitStrategy.onWindowClose;
import static org.apache.kafka.streams.kstream.Materialized.StoreType.ROCKS_DB;

import java.time.Duration;
import java.util.function.Consumer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Aggregates that say only the last word of a window. */
final class EmitOnClose {
    /**
     * Longer than any input: with the shortest retention Kafka Streams loses results when time jumps, because a window
     * may leave its store before it was looked at.
     */
    private static final Duration KEPT = ms(600_000);

    private EmitOnClose() {}

    static void addTo(Catalog catalog) {
        TimeWindows tumbling = TimeWindows.ofSizeAndGrace(ms(1000), ms(600));
        catalog.add("emit_on_close_tumbling").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(count(tumbling));
        catalog.add("emit_on_close_tumbling_no_grace").input("in").output(WINDOW, NUMBER)
            .build(count(TimeWindows.ofSizeWithNoGrace(ms(1000))));
        catalog.add("emit_on_close_hopping").input("in").output(WINDOW, NUMBER)
            .build(count(tumbling.advanceBy(ms(250))));
        catalog.add("emit_on_close_sliding").input("in").output(WINDOW, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(700), ms(900)))
                .emitStrategy(onWindowClose()).count(numberWindows("counts").withRetention(KEPT)).toStream()
                .to("out", InWindows.longs(700)));
        catalog.add("emit_on_close_session").input("in").output(SESSION, NUMBER).store("counts", SESSIONS, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP)
                .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(500), ms(800)))
                .emitStrategy(onWindowClose())
                // Sessions that close together come in another order from the store in memory.
                .count(numberSessions("counts").withRetention(KEPT).withStoreType(ROCKS_DB)).toStream()
                .to("out", InWindows.sessionLongs()));
        // Kafka Streams looks for closed windows at most once a second of wall clock.
        catalog.add("emit_on_close_interval").input("in").output(WINDOW, NUMBER).emitInterval(1000)
            .with(p -> p.clock = 20).build(count(tumbling));
    }

    private static Consumer<StreamsBuilder> count(TimeWindows windows) {
        return b -> stream(b, "in").groupByKey(GROUP).windowedBy(windows).emitStrategy(onWindowClose())
            .count(numberWindows("counts").withRetention(KEPT)).toStream().to("out", InWindows.longs(windows.size()));
    }
}
