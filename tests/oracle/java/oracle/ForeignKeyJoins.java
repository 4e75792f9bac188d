package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Kit.GROUP;
import static oracle.Kit.WRITE;
import static oracle.Kit.WRITE_LONG;
import static oracle.Kit.letter;
import static oracle.Kit.number;
import static oracle.Kit.table;
import static oracle.Kit.text;
import static oracle.Program.StoreKind.TABLE;

import java.util.function.Function;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.TableJoined;

/** Tables joined with tables whose key is in their value. */
final class ForeignKeyJoins {
    private ForeignKeyJoins() {}

    static void addTo(Catalog catalog) {
        two(catalog, "foreign_key_inner").build(b -> inner(b, Kit::letter));
        two(catalog, "foreign_key_inner_cached").cached().build(b -> inner(b, Kit::letter));
        two(catalog, "foreign_key_left").build(b -> left(b, Kit::letter));
        two(catalog, "foreign_key_left_cached").cached().build(b -> left(b, Kit::letter));
        // Some left records have no foreign key.
        two(catalog, "foreign_key_inner_some_null").build(b -> inner(b, ForeignKeyJoins::notA));
        two(catalog, "foreign_key_left_some_null").build(b -> left(b, ForeignKeyJoins::notA));
        two(catalog, "foreign_key_of_key_and_value").build(b -> table(b, "left")
            .join(table(b, "right"), (k, v) -> Kit.numberOf(v) % 2 == 0 ? k : letter(v), Kit::pair,
                TableJoined.as("fk"), text("joined"))
            .toStream().to("out", WRITE));
        catalog.add("foreign_key_counted").input("left", 6, 3, 20, 2).input("right", 3, 3, 20, 1).output(TEXT, NUMBER)
            .build(b -> table(b, "left").leftJoin(table(b, "right"), Kit::letter, Kit::pair, TableJoined.as("fk"),
                    text("joined"))
                .groupBy((k, v) -> KeyValue.pair(v.substring(v.indexOf('+') + 1), v), GROUP).count(number("counts"))
                .toStream().to("out", WRITE_LONG));
    }

    private static Program two(Catalog catalog, String name) {
        return catalog.add(name).input("left", 6, 3, 20, 2).input("right", 3, 3, 20, 1).output(TEXT, TEXT)
            .store("joined", TABLE, TEXT);
    }

    private static String notA(String value) {
        return "a".equals(letter(value)) ? null : letter(value);
    }

    private static void inner(StreamsBuilder builder, Function<String, String> key) {
        table(builder, "left").join(table(builder, "right"), key, Kit::pair, TableJoined.as("fk"), text("joined"))
            .toStream().to("out", WRITE);
    }

    private static void left(StreamsBuilder builder, Function<String, String> key) {
        table(builder, "left").leftJoin(table(builder, "right"), key, Kit::pair, TableJoined.as("fk"), text("joined"))
            .toStream().to("out", WRITE);
    }
}
