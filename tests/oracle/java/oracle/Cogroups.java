package oracle;

import static oracle.Format.SESSION;
import static oracle.Format.TEXT;
import static oracle.Format.WINDOW;
import static oracle.Kit.GROUP;
import static oracle.Kit.WRITE;
import static oracle.Kit.ms;
import static oracle.Kit.stream;
import static oracle.Kit.text;
import static oracle.Kit.textSessions;
import static oracle.Kit.textWindows;
import static oracle.Program.StoreKind.SESSIONS;
import static oracle.Program.StoreKind.TABLE;
import static oracle.Program.StoreKind.WINDOWS;

import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Several streams in one aggregate. */
final class Cogroups {
    private Cogroups() {}

    static void addTo(Catalog catalog) {
        two(catalog, "cogroup_plain").output(TEXT, TEXT).store("texts", TABLE, TEXT)
            .build(b -> cogroup(b).aggregate(() -> "", text("texts")).toStream().to("out", WRITE));
        two(catalog, "cogroup_plain_cached").output(TEXT, TEXT).store("texts", TABLE, TEXT).cached()
            .build(b -> cogroup(b).aggregate(() -> "", text("texts")).toStream().to("out", WRITE));
        two(catalog, "cogroup_tumbling").output(WINDOW, TEXT).store("texts", WINDOWS, TEXT)
            .build(b -> cogroup(b).windowedBy(TimeWindows.ofSizeAndGrace(ms(1000), ms(600)))
                .aggregate(() -> "", textWindows("texts")).toStream().to("out", InWindows.texts(1000)));
        two(catalog, "cogroup_sliding").output(WINDOW, TEXT).store("texts", WINDOWS, TEXT)
            .build(b -> cogroup(b).windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(700), ms(900)))
                .aggregate(() -> "", textWindows("texts")).toStream().to("out", InWindows.texts(700)));
        two(catalog, "cogroup_session").output(SESSION, TEXT).store("texts", SESSIONS, TEXT)
            .build(b -> cogroup(b).windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(500), ms(800)))
                .aggregate(() -> "", Kit::merge, textSessions("texts")).toStream()
                .to("out", InWindows.sessionTexts()));
    }

    private static Program two(Catalog catalog, String name) {
        return catalog.add(name).input("left").input("right");
    }

    private static CogroupedKStream<String, String> cogroup(StreamsBuilder builder) {
        return stream(builder, "left").groupByKey(GROUP).cogroup(Kit::append)
            .cogroup(stream(builder, "right").groupByKey(GROUP), (k, v, old) -> Kit.append(k, v, old) + "'");
    }
}
