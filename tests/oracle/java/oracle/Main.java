package oracle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Kafka Streams' answers to the inputs of tests/oracle.
 *
 *   oracle.Main generate FOLDER            writes the golden file of every topology
 *   oracle.Main generate FOLDER PREFIX     only of those whose names begin so
 *   oracle.Main print NAME SEED            prints one input and all that comes of it
 *   oracle.Main list                       prints the names of the topologies
 */
public final class Main {
    private static final int INPUTS = 200;
    private static final int SHOWN = 2;  // inputs whose outputs are in the golden file

    private Main() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("oracle");
        try {
            List<Program> programs = Catalog.all();
            String command = arguments.length == 0 ? "" : arguments[0];
            if (command.equals("generate") && (arguments.length == 2 || arguments.length == 3)) {
                generate(programs, Path.of(arguments[1]), arguments.length == 3 ? arguments[2] : "", folder);
            } else if (command.equals("print") && arguments.length == 3) {
                print(named(programs, arguments[1]), Integer.parseInt(arguments[2]), folder);
            } else if (command.equals("list")) {
                programs.forEach(program -> System.out.println(program.name));
            } else {
                System.err.println("usage: generate FOLDER [PREFIX] | print NAME SEED | list");
                System.exit(2);
            }
        } finally {
            remove(folder);
        }
    }

    private static void generate(List<Program> programs, Path golden, String prefix, Path folder) throws IOException {
        Files.createDirectories(golden);
        removeGolden(golden, prefix);
        List<Program> wanted = programs.stream().filter(program -> program.name.startsWith(prefix)).toList();
        for (Program program : wanted) {
            Files.writeString(golden.resolve(program.name + ".txt"), golden(program, folder));
        }
        System.out.println(wanted.size() + " topologies, " + INPUTS + " inputs each");
    }

    /** A topology that was renamed leaves nothing behind. */
    private static void removeGolden(Path golden, String prefix) throws IOException {
        try (Stream<Path> old = Files.list(golden)) {
            for (Path file : old.filter(path -> path.getFileName().toString().startsWith(prefix)).toList()) {
                Files.delete(file);
            }
        }
    }

    private static String golden(Program program, Path folder) {
        List<String> lines = new ArrayList<>(program.lines());
        List<String> shown = new ArrayList<>();
        lines.add("inputs " + INPUTS);
        for (int seed = 1; seed <= INPUTS; seed++) {
            Run run = new Run(program, seed, folder);
            lines.add(String.format("%d %s %s %s %d", seed, digest(run.inputs), digest(run.outputs),
                digest(run.stores), run.dropped));
            if (seed <= SHOWN) {
                shown.add("seed " + seed);
                shown.addAll(run.all);
            }
        }
        lines.addAll(shown);
        return String.join("\n", lines) + "\n";
    }

    private static void print(Program program, int seed, Path folder) {
        new Run(program, seed, folder).all.forEach(System.out::println);
    }

    private static Program named(List<Program> programs, String name) {
        return programs.stream().filter(program -> program.name.equals(name)).findFirst()
            .orElseThrow(() -> new IllegalArgumentException("there is no topology " + name));
    }

    /** Twelve hex digits over the lines, each with its end. */
    private static String digest(List<String> lines) {
        long hash = SplitMix.fnv("");
        for (String line : lines) {
            hash = SplitMix.fnv(hash, line + "\n");
        }
        return String.format("%016x", hash).substring(4);
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
