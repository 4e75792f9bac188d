package oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;

/** A topology with its name, its inputs, and what of it is to be compared. */
final class Program {
    enum StoreKind { TABLE, PLAIN, WINDOWS, PLAIN_WINDOWS, SESSIONS, VERSIONED }

    record Output(String topic, Format key, Format value) {}

    record Store(String name, StoreKind kind, Format key, Format value) {}

    final String name;
    final Profile profile = new Profile();
    final List<Output> outputs = new ArrayList<>();
    final List<Store> stores = new ArrayList<>();
    boolean cached = false;
    long emitInterval = 0;  // ms of wall clock between two looks for results of closed windows
    private Supplier<Topology> topology;

    Program(String name) {
        this.name = name;
    }

    Program input(String topic, int keys, int nullKeys, int tombstones, int weight) {
        profile.inputs.add(new Profile.Input(topic, keys, nullKeys, tombstones, weight));
        return this;
    }

    /** The usual one: a few null keys and values. */
    Program input(String topic) {
        return input(topic, 4, 4, 6, 1);
    }

    /** A topic read as a table: more tombstones. */
    Program table(String topic) {
        return input(topic, 4, 3, 20, 1);
    }

    Program output(String topic, Format key, Format value) {
        outputs.add(new Output(topic, key, value));
        return this;
    }

    Program output(Format key, Format value) {
        return output("out", key, value);
    }

    Program store(String store, StoreKind kind, Format key, Format value) {
        stores.add(new Store(store, kind, key, value));
        return this;
    }

    Program store(String store, StoreKind kind, Format value) {
        return store(store, kind, Format.TEXT, value);
    }

    Program with(Consumer<Profile> change) {
        change.accept(profile);
        return this;
    }

    Program cached() {
        cached = true;
        return this;
    }

    Program emitInterval(long ms) {
        emitInterval = ms;
        return this;
    }

    Program build(Consumer<StreamsBuilder> build) {
        return topology(() -> {
            StreamsBuilder builder = new StreamsBuilder();
            build.accept(builder);
            return builder.build(new Properties());
        });
    }

    Program topology(Supplier<Topology> make) {
        topology = make;
        return this;
    }

    Topology topology() {
        return topology.get();
    }

    /** The head of the golden file, from which the C++ side takes everything but the topology itself. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("topology " + name);
        lines.add(String.format("options cached=%d emit_interval=%d", cached ? 1 : 0, emitInterval));
        lines.addAll(profile.lines());
        for (Output output : outputs) {
            lines.add("output " + output.topic + " key=" + lower(output.key) + " value=" + lower(output.value));
        }
        for (Store store : stores) {
            lines.add("store " + store.name + " kind=" + lower(store.kind) + " key=" + lower(store.key) + " value="
                + lower(store.value));
        }
        return lines;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
