package oracle;

import java.util.ArrayList;
import java.util.List;

/** All topologies, in groups that are files of the same name on the C++ side. */
final class Catalog {
    private final List<Program> programs = new ArrayList<>();

    private Catalog() {}

    static List<Program> all() {
        Catalog catalog = new Catalog();
        Stateless.addTo(catalog);
        Repartitions.addTo(catalog);
        Aggregates.addTo(catalog);
        Tables.addTo(catalog);
        Windows.addTo(catalog);
        Sessions.addTo(catalog);
        Sliding.addTo(catalog);
        Suppression.addTo(catalog);
        EmitOnClose.addTo(catalog);
        StreamJoins.addTo(catalog);
        StreamTableJoins.addTo(catalog);
        TableJoins.addTo(catalog);
        ForeignKeyJoins.addTo(catalog);
        GlobalTables.addTo(catalog);
        Cogroups.addTo(catalog);
        Versioned.addTo(catalog);
        Processors.addTo(catalog);
        InternalTopics.addTo(catalog);
        return catalog.programs;
    }

    Program add(String name) {
        Program program = new Program(name);
        programs.add(program);
        return program;
    }
}
