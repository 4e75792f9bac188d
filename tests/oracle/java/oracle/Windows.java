package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Format.WINDOW;
import static oracle.Kit.GROUP;
import static oracle.Kit.WRITE;
import static oracle.Kit.ms;
import static oracle.Kit.numberWindows;
import static oracle.Kit.pair;
import static oracle.Kit.stream;
import static oracle.Kit.textWindows;
import static oracle.Program.StoreKind.WINDOWS;

import java.util.function.Consumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Tumbling and hopping windows. */
final class Windows {
    private Windows() {}

    static void addTo(Catalog catalog) {
        TimeWindows tumbling = TimeWindows.ofSizeWithNoGrace(ms(1000));
        TimeWindows withGrace = TimeWindows.ofSizeAndGrace(ms(1000), ms(600));
        TimeWindows hopping = withGrace.advanceBy(ms(250));
        catalog.add("windows_tumbling_count").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(count(tumbling));
        catalog.add("windows_tumbling_count_grace").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(count(withGrace));
        catalog.add("windows_tumbling_count_cached").input("in").output(WINDOW, NUMBER)
            .cached().build(count(withGrace));
        catalog.add("windows_hopping_count").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(count(tumbling.advanceBy(ms(500))));
        catalog.add("windows_hopping_count_cached").input("in").output(WINDOW, NUMBER)
            .cached().build(count(hopping));
        // The advance does not divide the size.
        catalog.add("windows_hopping_uneven").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(count(withGrace.advanceBy(ms(300))));
        catalog.add("windows_hopping_reduce").input("in").output(WINDOW, TEXT).store("reduced", WINDOWS, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(hopping).reduce(Kit::reduce, textWindows("reduced"))
                .toStream().to("out", InWindows.texts(1000)));
        catalog.add("windows_tumbling_reduce_cached").input("in").output(WINDOW, TEXT).cached()
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace)
                .reduce(Kit::reduce, textWindows("reduced")).toStream().to("out", InWindows.texts(1000)));
        catalog.add("windows_hopping_aggregate").input("in").output(WINDOW, NUMBER).store("sums", WINDOWS, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(hopping)
                .aggregate(() -> 100L, Kit::sum, numberWindows("sums")).toStream().to("out", InWindows.longs(1000)));
        // An aggregate that becomes null leaves its window.
        catalog.add("windows_tumbling_aggregate_to_null").input("in").output(WINDOW, TEXT).store("texts", WINDOWS, TEXT)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace)
                .aggregate(() -> "", (k, v, old) -> old.length() > 5 ? null : Kit.append(k, v, old),
                    textWindows("texts"))
                .toStream().to("out", InWindows.texts(1000)));
        catalog.add("windows_key_unpacked").input("in").output(TEXT, TEXT).store("counts", WINDOWS, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace).count(numberWindows("counts")).toStream()
                .map((k, v) -> KeyValue.pair(k.key(), pair(k.window().start() + "-" + k.window().end(), v)))
                .to("out", WRITE));
        catalog.add("windows_table_filter").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace).count(numberWindows("counts"))
                .filter((k, v) -> v % 2 == 0).toStream().to("out", InWindows.longs(1000)));
        catalog.add("windows_headers").input("in").with(p -> p.headers = true).output(WINDOW, NUMBER)
            .build(count(hopping));
        catalog.add("windows_retention").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(b -> stream(b, "in").groupByKey(GROUP).windowedBy(withGrace)
                .count(numberWindows("counts").withRetention(ms(5000))).toStream().to("out", InWindows.longs(1000)));
    }

    private static Consumer<StreamsBuilder> count(TimeWindows windows) {
        return b -> stream(b, "in").groupByKey(GROUP).windowedBy(windows).count(numberWindows("counts")).toStream()
            .to("out", InWindows.longs(windows.size()));
    }
}
