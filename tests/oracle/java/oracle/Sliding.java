package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Format.WINDOW;
import static oracle.Kit.GROUP;
import static oracle.Kit.ms;
import static oracle.Kit.numberWindows;
import static oracle.Kit.stream;
import static oracle.Kit.textWindows;
import static oracle.Program.StoreKind.WINDOWS;

import java.util.function.Consumer;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.SlidingWindows;

/** Windows for every combination of records that lie close enough together. */
final class Sliding {
    private Sliding() {}

    static void addTo(Catalog catalog) {
        SlidingWindows noGrace = SlidingWindows.ofTimeDifferenceWithNoGrace(ms(700));
        SlidingWindows withGrace = SlidingWindows.ofTimeDifferenceAndGrace(ms(700), ms(900));
        catalog.add("sliding_count").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(count(noGrace));
        catalog.add("sliding_count_grace").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(count(withGrace));
        catalog.add("sliding_count_cached").input("in").output(WINDOW, NUMBER).cached()
            .build(count(withGrace));
        catalog.add("sliding_reduce").input("in").output(WINDOW, TEXT).store("reduced", WINDOWS, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace).reduce(Kit::reduce, textWindows("reduced"))
                .toStream().to("out", InWindows.texts(700)));
        catalog.add("sliding_aggregate").input("in").output(WINDOW, TEXT).store("texts", WINDOWS, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace)
                .aggregate(() -> "", Kit::append, textWindows("texts")).toStream().to("out", InWindows.texts(700)));
        catalog.add("sliding_headers").input("in").with(p -> p.headers = true).output(WINDOW, NUMBER)
            .build(count(withGrace));
        // One key, many records out of order, from time 0 on.
        catalog.add("sliding_crowded").input("in", 1, 0, 0, 1).with(p -> {
            p.late = 50;
            p.step = 80;
            p.lateBy = 1500;
        }).output(WINDOW, TEXT).store("texts", WINDOWS, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP)
                .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(300), ms(5000)))
                .aggregate(() -> "", Kit::append, textWindows("texts")).toStream().to("out", InWindows.texts(300)));
    }

    private static Consumer<StreamsBuilder> count(SlidingWindows windows) {
        return b -> stream(b, "in").groupByKey(GROUP).windowedBy(windows).count(numberWindows("counts")).toStream()
            .to("out", InWindows.longs(windows.timeDifferenceMs()));
    }
}
