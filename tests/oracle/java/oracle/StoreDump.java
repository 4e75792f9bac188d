package oracle;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;

/** What is in a store at the end: in its own order by key, windows and sessions sorted as text. */
final class StoreDump {
    private static final int VERSION_STEP = 500;
    private static final int VERSION_END = 15_000;

    private StoreDump() {}

    static List<String> lines(TopologyTestDriver driver, Program.Store store, Profile profile) {
        List<String> lines = new ArrayList<>();
        switch (store.kind()) {
            case TABLE -> each(driver.<Object, Object>getTimestampedKeyValueStore(store.name()).all(),
                entry -> lines.add(entry.key + " " + stamped(entry.value)));
            case PLAIN -> each(driver.<Object, Object>getKeyValueStore(store.name()).all(),
                entry -> lines.add(entry.key + " " + text(entry.value)));
            case WINDOWS -> each(driver.<Object, Object>getTimestampedWindowStore(store.name()).all(),
                entry -> lines.add(windowed(entry.key) + " " + stamped(entry.value)));
            case PLAIN_WINDOWS -> each(driver.<Object, Object>getWindowStore(store.name()).all(),
                entry -> lines.add(windowed(entry.key) + " " + text(entry.value)));
            case SESSIONS -> each(driver.<Object, Object>getSessionStore(store.name()).fetch(null, null),
                entry -> lines.add(Format.session(entry.key.key().toString(), entry.key.window().start(),
                    entry.key.window().end()) + " " + text(entry.value)));
            case VERSIONED -> versions(driver.getVersionedKeyValueStore(store.name()), profile, lines);
        }
        if (store.kind() == Program.StoreKind.WINDOWS || store.kind() == Program.StoreKind.PLAIN_WINDOWS
            || store.kind() == Program.StoreKind.SESSIONS) {
            lines.sort(null);
        }
        return lines;
    }

    private static void versions(VersionedKeyValueStore<String, Object> store, Profile profile, List<String> lines) {
        int keys = profile.inputs.stream().mapToInt(Profile.Input::keys).max().orElse(0);
        for (int i = 0; i < keys; i++) {
            String key = String.valueOf((char) ('a' + i));
            lines.add(key + " " + version(store.get(key)));
            for (long time = 0; time < VERSION_END; time += VERSION_STEP) {
                lines.add(key + "[" + time + "] " + version(store.get(key, time)));
            }
        }
    }

    private static String version(VersionedRecord<Object> record) {
        return record == null ? "null" : text(record.value()) + " @" + record.timestamp();
    }

    private static String windowed(Windowed<Object> key) {
        return Format.window(key.key().toString(), key.window().start());
    }

    private static String stamped(ValueAndTimestamp<Object> value) {
        return text(value.value()) + " @" + value.timestamp();
    }

    private static String text(Object value) {
        return Format.orNull(value == null ? null : value.toString());
    }

    private static <K, V> void each(KeyValueIterator<K, V> entries, java.util.function.Consumer<KeyValue<K, V>> take) {
        try (entries) {
            entries.forEachRemaining(take);
        }
    }
}
