package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.SESSION;
import static oracle.Format.TEXT;
import static oracle.Kit.GROUP;
import static oracle.Kit.KEPT;
import static oracle.Kit.letter;
import static oracle.Kit.ms;
import static oracle.Kit.numberSessions;
import static oracle.Kit.stream;
import static oracle.Kit.textSessions;
import static oracle.Program.StoreKind.SESSIONS;

import java.time.Duration;
import java.util.function.Consumer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.SessionWindows;

/** Windows that end with inactivity. */
final class Sessions {
    private Sessions() {}

    static void addTo(Catalog catalog) {
        SessionWindows noGrace = SessionWindows.ofInactivityGapWithNoGrace(ms(500));
        SessionWindows withGrace = SessionWindows.ofInactivityGapAndGrace(ms(500), ms(800));
        catalog.add("sessions_count").input("in").output(SESSION, NUMBER).store("counts", SESSIONS, NUMBER)
            .build(count(noGrace));
        catalog.add("sessions_count_grace").input("in").output(SESSION, NUMBER).store("counts", SESSIONS, NUMBER)
            .build(count(withGrace));
        // Kept longer than any input lasts: the cache still finds sessions that the store has forgotten.
        catalog.add("sessions_count_cached").input("in").output(SESSION, NUMBER).cached()
            .build(count(withGrace, KEPT));
        catalog.add("sessions_reduce").input("in").output(SESSION, TEXT).store("reduced", SESSIONS, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace).reduce(Kit::reduce, textSessions("reduced"))
                .toStream().to("out", InWindows.sessionTexts()));
        catalog.add("sessions_aggregate").input("in").output(SESSION, TEXT).store("texts", SESSIONS, TEXT)
            .build(aggregate(withGrace));
        catalog.add("sessions_aggregate_cached").input("in").output(SESSION, TEXT).cached()
            .build(aggregate(withGrace, KEPT));
        catalog.add("sessions_group_by").input("in").output(SESSION, NUMBER).store("counts", SESSIONS, NUMBER)
            .build(b -> stream(b, "in").groupBy((k, v) -> letter(v), GROUP).windowedBy(withGrace)
                .count(numberSessions("counts")).toStream().to("out", InWindows.sessionLongs()));
        catalog.add("sessions_headers").input("in").with(p -> p.headers = true).output(SESSION, NUMBER)
            .build(count(withGrace));
        // One key, many merges.
        catalog.add("sessions_merging").input("in", 1, 0, 0, 1).with(p -> {
            p.late = 60;
            p.lateBy = 4000;
            p.step = 400;
        }).output(SESSION, TEXT).store("texts", SESSIONS, TEXT)
            .build(aggregate(SessionWindows.ofInactivityGapAndGrace(ms(300), ms(10_000))));
    }

    private static Consumer<StreamsBuilder> count(SessionWindows windows) {
        return count(windows, shortest(windows));
    }

    private static Consumer<StreamsBuilder> count(SessionWindows windows, Duration retention) {
        return b -> stream(b, "in").groupByKey(GROUP).windowedBy(windows)
            .count(numberSessions("counts").withRetention(retention)).toStream().to("out", InWindows.sessionLongs());
    }

    private static Consumer<StreamsBuilder> aggregate(SessionWindows windows) {
        return aggregate(windows, shortest(windows));
    }

    private static Consumer<StreamsBuilder> aggregate(SessionWindows windows, Duration retention) {
        return b -> stream(b, "in").groupByKey(GROUP).windowedBy(windows)
            .aggregate(() -> "", Kit::append, Kit::merge, textSessions("texts").withRetention(retention)).toStream()
            .to("out", InWindows.sessionTexts());
    }

    /** The retention that a store has if it is not told. */
    private static Duration shortest(SessionWindows windows) {
        return ms(windows.inactivityGap() + windows.gracePeriodMs());
    }
}
