package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Format.WINDOW;
import static oracle.Kit.GROUP;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.letter;
import static oracle.Kit.ms;
import static oracle.Kit.number;
import static oracle.Kit.numberWindows;
import static oracle.Kit.pair;
import static oracle.Kit.stream;
import static oracle.Kit.text;
import static oracle.Program.StoreKind.TABLE;
import static oracle.Program.StoreKind.WINDOWS;

import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;

/** Records that go through a topic of the topology's own. */
final class Repartitions {
    private Repartitions() {}

    static void addTo(Catalog catalog) {
        catalog.add("repartition_explicit").input("in").output(TEXT, TEXT)
            .build(b -> stream(b, "in").selectKey((k, v) -> letter(v))
                .repartition(Repartitioned.with(STRING, STRING).withName("by-letter"))
                .mapValues((k, v) -> pair(k, v)).to("out", WRITE));
        catalog.add("repartition_then_count").input("in").output(TEXT, NUMBER).store("counts", TABLE, NUMBER)
            .build(b -> stream(b, "in").selectKey((k, v) -> letter(v)).groupByKey(GROUP)
                .count(number("counts")).toStream().to("out", Kit.WRITE_LONG));
        catalog.add("repartition_group_by_window").input("in").output(WINDOW, NUMBER).store("counts", WINDOWS, NUMBER)
            .build(b -> stream(b, "in").filter((k, v) -> !"c".equals(k))
                .groupBy((k, v) -> letter(v), Grouped.with("by-letter", STRING, STRING))
                .windowedBy(TimeWindows.ofSizeAndGrace(ms(1000), ms(500))).count(numberWindows("counts"))
                .toStream().to("out", InWindows.longs(1000)));
        catalog.add("repartition_headers").input("in").with(p -> p.headers = true).output(TEXT, TEXT)
            .build(b -> stream(b, "in").selectKey((k, v) -> letter(v))
                .repartition(Repartitioned.with(STRING, STRING).withName("by-letter")).to("out", WRITE));
        catalog.add("repartition_to_table").input("in").output(TEXT, TEXT).store("latest", TABLE, TEXT)
            .build(b -> stream(b, "in").selectKey((k, v) -> letter(v)).toTable(text("latest")).toStream()
                .to("out", WRITE));
    }
}
