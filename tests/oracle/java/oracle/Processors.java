package oracle;

import static oracle.Format.NUMBER;
import static oracle.Format.TEXT;
import static oracle.Kit.LONG;
import static oracle.Kit.STRING;
import static oracle.Kit.WRITE;
import static oracle.Kit.WRITE_LONG;
import static oracle.Kit.ms;
import static oracle.Kit.numberOf;
import static oracle.Kit.stream;
import static oracle.Program.StoreKind.PLAIN;
import static oracle.Program.StoreKind.PLAIN_WINDOWS;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** The Processor API: own steps with stores, punctuations and headers. */
final class Processors {
    private Processors() {}

    static void addTo(Catalog catalog) {
        catalog.add("processor_last_seen").input("in").output(TEXT, TEXT).store("seen", PLAIN, TEXT).build(b -> {
            b.addStateStore(texts());
            stream(b, "in").process(LastSeen::new, "seen").to("out", WRITE);
        });
        catalog.add("processor_punctuate_stream_time").input("in").output(TEXT, TEXT).store("seen", PLAIN, TEXT)
            .build(b -> punctuated(b, PunctuationType.STREAM_TIME));
        catalog.add("processor_punctuate_wall_clock").input("in").output(TEXT, TEXT).store("seen", PLAIN, TEXT)
            .with(p -> p.clock = 25).build(b -> punctuated(b, PunctuationType.WALL_CLOCK_TIME));
        catalog.add("processor_values").input("in").output(TEXT, NUMBER).store("sums", PLAIN, NUMBER).build(b -> {
            b.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("sums"), STRING, LONG));
            stream(b, "in").filter((k, v) -> k != null).processValues(RunningSum::new, "sums").to("out", WRITE_LONG);
        });
        catalog.add("processor_headers").input("in").with(p -> p.headers = true).output(TEXT, TEXT)
            .build(b -> stream(b, "in").process(Tagger::new).to("out", WRITE));
        catalog.add("processor_window_store").input("in").output(TEXT, NUMBER).store("seen", PLAIN_WINDOWS, TEXT).build(b -> {
            b.addStateStore(Stores.windowStoreBuilder(
                Stores.inMemoryWindowStore("seen", ms(4000), ms(1000), false), STRING, STRING));
            stream(b, "in").process(Neighbours::new, "seen").to("out", WRITE_LONG);
        });
        catalog.add("processor_topology").input("in").output("even", TEXT, TEXT).output("odd", TEXT, TEXT)
            .topology(() -> new Topology()
                .addSource("source", STRING.deserializer(), STRING.deserializer(), "in")
                .addProcessor("router", Router::new, "source")
                .addSink("even", "even", STRING.serializer(), STRING.serializer(), "router")
                .addSink("odd", "odd", STRING.serializer(), STRING.serializer(), "router"));
        catalog.add("processor_range").input("in").output(TEXT, TEXT).store("seen", PLAIN, TEXT).build(b -> {
            b.addStateStore(texts());
            stream(b, "in").process(Ranges::new, "seen").to("out", WRITE);
        });
    }

    private static StoreBuilder<KeyValueStore<String, String>> texts() {
        return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("seen"), STRING, STRING);
    }

    private static void punctuated(StreamsBuilder builder, PunctuationType type) {
        builder.addStateStore(texts());
        stream(builder, "in").process(() -> new Flusher(type), "seen").to("out", WRITE);
    }

    /** Forwards what changes, with what was before; a tombstone forgets. */
    private static final class LastSeen implements Processor<String, String, String, String> {
        private ProcessorContext<String, String> context;
        private KeyValueStore<String, String> seen;

        @Override
        public void init(ProcessorContext<String, String> context) {
            this.context = context;
            seen = context.getStateStore("seen");
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.key() == null) {
                return;
            }
            if (record.value() == null) {
                context.forward(record.withValue("forgot " + seen.delete(record.key())));
                return;
            }
            String before = seen.putIfAbsent(record.key(), record.value());
            if (before != null && !Kit.letter(before).equals(Kit.letter(record.value()))) {
                seen.put(record.key(), record.value());
                context.forward(record.withValue(Kit.pair(before, record.value())));
            }
        }
    }

    /** Collects, and every 1000 ms forwards and forgets all; the record's timestamp is the punctuation's. */
    private static final class Flusher implements Processor<String, String, String, String> {
        private final PunctuationType type;
        private ProcessorContext<String, String> context;
        private KeyValueStore<String, String> seen;

        Flusher(PunctuationType type) {
            this.type = type;
        }

        @Override
        public void init(ProcessorContext<String, String> context) {
            this.context = context;
            seen = context.getStateStore("seen");
            context.schedule(ms(1000), type, this::flush);
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.key() != null) {
                String before = seen.get(record.key());
                seen.put(record.key(), Kit.pair(before, record.value()));
            }
        }

        private void flush(long time) {
            List<KeyValue<String, String>> entries = new ArrayList<>();
            try (KeyValueIterator<String, String> all = seen.all()) {
                all.forEachRemaining(entries::add);
            }
            for (KeyValue<String, String> entry : entries) {
                context.forward(new Record<>(entry.key, entry.value, time));
                seen.delete(entry.key);
            }
        }
    }

    private static final class RunningSum implements FixedKeyProcessor<String, String, Long> {
        private FixedKeyProcessorContext<String, Long> context;
        private KeyValueStore<String, Long> sums;

        @Override
        public void init(FixedKeyProcessorContext<String, Long> context) {
            this.context = context;
            sums = context.getStateStore("sums");
        }

        @Override
        public void process(FixedKeyRecord<String, String> record) {
            Long before = sums.get(record.key());
            long sum = (before == null ? 0 : before) + numberOf(record.value());
            sums.put(record.key(), sum);
            context.forward(record.withValue(sum));
        }
    }

    /** Shows the context of a record in its value, and adds a header of its own. */
    private static final class Tagger implements Processor<String, String, String, String> {
        private ProcessorContext<String, String> context;

        @Override
        public void init(ProcessorContext<String, String> context) {
            this.context = context;
        }

        @Override
        public void process(Record<String, String> record) {
            var metadata = context.recordMetadata().orElseThrow();
            String where = metadata.topic() + "-" + metadata.partition() + "@" + metadata.offset() + "/"
                + context.currentStreamTimeMs();
            Record<String, String> tagged = record.withValue(Kit.pair(record.value(), where))
                .withTimestamp(record.timestamp() + 1);
            tagged.headers().add("tag", Format.orNull(record.key()).getBytes());
            context.forward(tagged);
        }
    }

    /** Counts the records of its key within 500 ms before and after. */
    private static final class Neighbours implements Processor<String, String, String, Long> {
        private ProcessorContext<String, Long> context;
        private WindowStore<String, String> seen;

        @Override
        public void init(ProcessorContext<String, Long> context) {
            this.context = context;
            seen = context.getStateStore("seen");
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.key() == null) {
                return;
            }
            seen.put(record.key(), record.value(), record.timestamp());
            long count = 0;
            long from = Math.max(0, record.timestamp() - 500);
            try (WindowStoreIterator<String> near = seen.fetch(record.key(), from, record.timestamp() + 500)) {
                while (near.hasNext()) {
                    near.next();
                    count++;
                }
            }
            context.forward(record.withValue(count));
        }
    }

    /** To one of its children by name; null values to all. */
    private static final class Router implements Processor<String, String, String, String> {
        private ProcessorContext<String, String> context;

        @Override
        public void init(ProcessorContext<String, String> context) {
            this.context = context;
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.value() == null) {
                context.forward(record);
            } else {
                context.forward(record, numberOf(record.value()) % 2 == 0 ? "even" : "odd");
            }
        }
    }

    /** Answers with what the store holds from the record's letter up to its key, and backwards. */
    private static final class Ranges implements Processor<String, String, String, String> {
        private ProcessorContext<String, String> context;
        private KeyValueStore<String, String> seen;

        @Override
        public void init(ProcessorContext<String, String> context) {
            this.context = context;
            seen = context.getStateStore("seen");
        }

        @Override
        public void process(Record<String, String> record) {
            if (record.key() == null || record.value() == null) {
                return;
            }
            seen.put(record.key(), record.value());
            String from = Kit.letter(record.value());
            if (from.compareTo(record.key()) > 0) {
                return;
            }
            StringBuilder text = new StringBuilder();
            try (KeyValueIterator<String, String> range = seen.range(from, record.key())) {
                range.forEachRemaining(entry -> text.append(entry.key).append(entry.value));
            }
            text.append('|');
            try (KeyValueIterator<String, String> range = seen.reverseRange(from, record.key())) {
                range.forEachRemaining(entry -> text.append(entry.key));
            }
            context.forward(record.withValue(text.toString()));
        }
    }
}
