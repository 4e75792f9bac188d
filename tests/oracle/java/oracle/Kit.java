package oracle;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/** What the topologies share. A value is a letter and a number, "b17"; functions of it are total. */
final class Kit {
    static final Serde<String> STRING = Serdes.String();
    static final Serde<Long> LONG = Serdes.Long();
    static final Consumed<String, String> READ = Consumed.with(STRING, STRING);
    static final Produced<String, String> WRITE = Produced.with(STRING, STRING);
    static final Produced<String, Long> WRITE_LONG = Produced.with(STRING, LONG);
    static final Grouped<String, String> GROUP = Grouped.with(STRING, STRING);

    /** Longer than any input lasts. */
    static final Duration KEPT = ms(600_000);

    private Kit() {}

    static KStream<String, String> stream(StreamsBuilder builder, String topic) {
        return builder.stream(topic, READ);
    }

    /** A table that is materialised under the name of its topic. */
    static KTable<String, String> table(StreamsBuilder builder, String topic) {
        return builder.table(topic, READ, text(topic));
    }

    static Materialized<String, String, KeyValueStore<Bytes, byte[]>> text(String store) {
        return Kit.<String, KeyValueStore<Bytes, byte[]>>store(store, STRING);
    }

    static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> number(String store) {
        return Kit.<Long, KeyValueStore<Bytes, byte[]>>store(store, LONG);
    }

    static Materialized<String, String, WindowStore<Bytes, byte[]>> textWindows(String store) {
        return Kit.<String, WindowStore<Bytes, byte[]>>store(store, STRING);
    }

    static Materialized<String, Long, WindowStore<Bytes, byte[]>> numberWindows(String store) {
        return Kit.<Long, WindowStore<Bytes, byte[]>>store(store, LONG);
    }

    static Materialized<String, String, SessionStore<Bytes, byte[]>> textSessions(String store) {
        return Kit.<String, SessionStore<Bytes, byte[]>>store(store, STRING);
    }

    static Materialized<String, Long, SessionStore<Bytes, byte[]>> numberSessions(String store) {
        return Kit.<Long, SessionStore<Bytes, byte[]>>store(store, LONG);
    }

    private static <V, S extends StateStore> Materialized<String, V, S> store(String name, Serde<V> values) {
        return Materialized.<String, V, S>as(name).withKeySerde(STRING).withValueSerde(values);
    }

    static Duration ms(long count) {
        return Duration.ofMillis(count);
    }

    /** "b17" -> "b"; null -> null. */
    static String letter(String value) {
        return value == null ? null : value.substring(0, 1);
    }

    /** "b17" -> 17; null -> 0. */
    static long numberOf(String value) {
        return value == null ? 0 : Long.parseLong(value.substring(1));
    }

    /** Both sides of a join: "b17+null". */
    static String pair(Object left, Object right) {
        return left + "+" + right;
    }

    /** Aggregator that shows the order: "b17a3", null as "~". */
    static String append(String key, String value, String aggregate) {
        return aggregate + (value == null ? "~" : value);
    }

    static String merge(String key, String left, String right) {
        return left + "|" + right;
    }

    static String reduce(String aggregate, String value) {
        return aggregate + "," + (value == null ? "~" : value);
    }

    static long sum(String key, String value, Long aggregate) {
        return aggregate + numberOf(value);
    }
}
