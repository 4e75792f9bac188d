package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Kit.GROUP;
import static oracle.Kit.READ;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.WRITE_LONG;
import static oracle.Kit.ms;
import static oracle.Kit.number;
import static oracle.Kit.numberOf;
import static oracle.Kit.stream;
import static oracle.Program.StoreKind.VERSIONED;

import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.Stores;

/** Tables that remember: joins see the value as of the time of the record. */
final class Versioned {
    private Versioned() {}

    static void addTo(Catalog catalog) {
        catalog.add("versioned_source").table("table").output(TEXT, TEXT).store("table", VERSIONED, TEXT)
            .build(b -> versioned(b, "table").toStream().to("out", WRITE));
        catalog.add("versioned_filter").table("table").output(TEXT, TEXT)
            .build(b -> versioned(b, "table").filter((k, v) -> numberOf(v) > 40).toStream().to("out", WRITE));
        catalog.add("versioned_group").table("table").output(TEXT, NUMBER)
            .build(b -> versioned(b, "table").groupBy((k, v) -> KeyValue.pair(Kit.letter(v), v), GROUP)
                .count(number("counts")).toStream().to("out", WRITE_LONG));
        two(catalog, "versioned_stream_table_inner").build(b -> stream(b, "in")
            .join(versioned(b, "table"), Kit::pair, Joined.with(STRING, STRING, STRING)).to("out", WRITE));
        two(catalog, "versioned_stream_table_left").build(b -> stream(b, "in")
            .leftJoin(versioned(b, "table"), Kit::pair, Joined.with(STRING, STRING, STRING)).to("out", WRITE));
        // Records of the stream wait in a buffer until their grace is over. No null keys: Kafka Streams stops at them.
        catalog.add("versioned_stream_table_grace").input("in", 4, 0, 6, 1).table("table").output(TEXT, TEXT).build(b -> stream(b, "in")
            .leftJoin(versioned(b, "table"), Kit::pair,
                Joined.with(STRING, STRING, STRING, "graceful", ms(900))).to("out", WRITE));
        catalog.add("versioned_table_join").table("left").table("right").output(TEXT, TEXT)
            .build(b -> versioned(b, "left").outerJoin(versioned(b, "right"), Kit::pair).toStream().to("out", WRITE));
        catalog.add("versioned_foreign_key").input("left", 6, 3, 20, 2).input("right", 3, 3, 20, 1).output(TEXT, TEXT)
            .build(b -> versioned(b, "left").leftJoin(versioned(b, "right"), Kit::letter, Kit::pair).toStream()
                .to("out", WRITE));
    }

    private static Program two(Catalog catalog, String name) {
        return catalog.add(name).input("in").table("table").output(TEXT, TEXT).store("table", VERSIONED, TEXT);
    }

    private static KTable<String, String> versioned(StreamsBuilder builder, String topic) {
        return builder.table(topic, READ, Materialized.<String, String>as(
            Stores.persistentVersionedKeyValueStore(topic, ms(4000))).withKeySerde(STRING).withValueSerde(STRING));
    }
}
